#include "sim/consumption.hpp"

#include "nats/handles.hpp"
#include "sim/progress_line.hpp"
#include "sim/stored_message.hpp"
#include "sim/stream_reader.hpp"
#include "status/figures.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/system/error_code.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

namespace meridian::sim {

namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

/// How long to wait before trying a failed read again.
constexpr std::chrono::milliseconds retry_pause{50};

/// How long to wait at the end for an answer that nothing is left. A server may not have handled
/// all acknowledgements that it has received, and a cluster may be about to elect a leader.
constexpr std::chrono::seconds settled_within{3};

StoredMessage::Header header(natsMsg& message, const char* name) {
  const char* value = nullptr;
  if (natsMsgHeader_Get(&message, name, &value) != NATS_OK || value == nullptr) {
    return std::nullopt;
  }
  return value;
}

StoredMessage stored_message(natsMsg& message) {
  const std::span data(natsMsg_GetData(&message),
                       static_cast<std::size_t>(natsMsg_GetDataLength(&message)));
  return {.payload = std::as_bytes(data),
          .id = header(message, id_header),
          .frames = header(message, frames_header),
          .first_sequence = header(message, first_sequence_header),
          .last_sequence = header(message, last_sequence_header),
          .first_received_at = header(message, first_received_at_header),
          .last_received_at = header(message, last_received_at_header)};
}

/// Writes frames to a file as they come, or nowhere if no file is wanted. Throws std::runtime_error
/// if it cannot write.
class FramesFile {
 public:
  FramesFile(const std::string& path, runtime::WhenThere when_there)
      : path_(path), replaces_(when_there == runtime::WhenThere::replace) {
    if (!path.empty()) {
      const int descriptor = runtime::open_output(path, when_there);
      file_.reset(::fdopen(descriptor, "wb"));
      check(file_ != nullptr);
    }
  }

  void write(std::span<const std::byte> octets) {
    if (file_) {
      if (std::exchange(replaces_, false)) {
        check(runtime::empty_output(::fileno(file_.get())));
      }
      check(std::fwrite(octets.data(), 1, octets.size(), file_.get()) == octets.size());
    }
  }
  void flush() {
    if (file_) {
      check(std::fflush(file_.get()) == 0);
    }
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };

  void check(bool done) const {
    if (!done) {
      throw std::runtime_error(fmt::format("cannot write to {}: {}", path_, std::strerror(errno)));
    }
  }

  std::string path_;
  bool replaces_;  // the next write first removes what is in the file
  std::unique_ptr<std::FILE, Close> file_;
};

class Consumption {
 public:
  explicit Consumption(const ConsumeOptions& options)
      : options_(options), output_(options.output, options.when_there), reader_(options) {}

  ConsumeReport run() {
    signals_.async_wait([this](const boost::system::error_code& cancelled, int /*signal*/) {
      stopped_ = !cancelled;
    });
    while (!is_over()) {
      context_.poll();
      fetch();
      draw_progress();
    }
    reader_.flush();
    if (!stopped_ && !everything_came()) {
      expect_nothing_left();
    }
    line_.clear();
    return finish();
  }

 private:
  [[nodiscard]] bool is_over() const {
    return stopped_ || everything_came() || Clock::now() - news_at_ > options_.idle_timeout;
  }

  /// Whether all expected frames have come, and all messages of the stream. The latter matters
  /// because a frame that is stored twice may come after all expected frames.
  [[nodiscard]] bool everything_came() const {
    return options_.expected_frames && check_.distinct() >= *options_.expected_frames &&
           pending_ == 0;
  }

  void fetch() {
    const Clock::time_point asked_at = Clock::now();
    nats::MessageList list;
    reader_.fetch(list);
    if (!reader_.trouble().empty()) {
      context_.run_for(retry_pause);  // a signal ends it
      return;
    }
    if (!list.messages().empty() && report_.messages == 0) {
      started_at_ = asked_at;
    }
    for (natsMsg* const message : list.messages()) {
      take(*message);
    }
    output_.flush();
    for (natsMsg* const message : list.messages()) {
      StreamReader::acknowledge(*message);
    }
  }

  void take(natsMsg& message) {
    jsMsgMetaData* data = nullptr;
    if (natsMsg_GetMetaData(&data, &message) != NATS_OK) {
      return;  // not from a stream: another client has guessed the subject on which we listen
    }
    const nats::MetaDataHandle meta(data);
    pending_ = meta->NumPending;
    if (!check_.take_place(meta->Sequence.Stream)) {
      ++report_.redelivered;
      return;
    }
    news_at_ = Clock::now();
    const StoredMessage stored = stored_message(message);
    Inspected found = inspect(stored);
    ++report_.messages;
    report_.octets += stored.payload.size();
    for (const Run& run : found.runs) {
      check_.add(meta->Sequence.Stream, run);
    }
    if (found.frames > 0) {
      output_.write(stored.payload);
    }
    if (!found.fault.empty()) {
      note_fault(meta->Sequence.Stream, std::move(found.fault));
    }
  }

  void note_fault(std::uint64_t place, std::string fault) {
    ++report_.malformed;
    if (report_.bad_messages.size() < most_told) {
      report_.bad_messages.push_back({.place = place, .fault = std::move(fault)});
    }
  }

  /// Asks whether messages are left, and notes it as a failure if some are. Messages may be left
  /// although none come: the stream may have no leader, and messages that went to a reader that
  /// died are delivered again later.
  void expect_nothing_left() {
    report_.failure = reader_.trouble();
    if (!report_.failure.empty()) {
      return;
    }
    const Clock::time_point give_up_at = Clock::now() + settled_within;
    StreamReader::Left left = reader_.ask_what_is_left();
    while ((left.not_acknowledged > 0 || !reader_.trouble().empty()) && Clock::now() < give_up_at &&
           !stopped_) {
      context_.run_for(retry_pause);
      left = reader_.ask_what_is_left();
    }
    report_.failure = reader_.trouble();
    if (left.not_delivered > 0) {
      report_.failure = fmt::format("the stream holds {} more messages but does not deliver them",
                                    left.not_delivered);
    } else if (left.not_acknowledged > 0) {
      report_.failure =
          fmt::format("{} messages were delivered to a reader that did not acknowledge them",
                      left.not_acknowledged);
    }
  }

  void draw_progress() {
    const Clock::time_point now = Clock::now();
    if (!line_.is_seen() || now - drawn_at_ < redraw_every) {
      return;
    }
    const std::chrono::duration<double> since = now - drawn_at_;
    const double rate = static_cast<double>(check_.frames() - frames_then_) / since.count();
    drawn_at_ = now;
    frames_then_ = check_.frames();
    const std::string text =
        fmt::format("{} frames  {:.2f} M frames/s{}{}", status::with_separators(check_.frames()),
                    rate / 1e6, reader_.trouble().empty() ? "" : "  ", reader_.trouble());
    if (options_.expected_frames) {
      line_.draw(static_cast<double>(check_.distinct()) /
                     static_cast<double>(std::max<std::uint64_t>(*options_.expected_frames, 1)),
                 text);
    } else {
      line_.draw(text);
    }
  }

  [[nodiscard]] ConsumeReport finish() {
    report_.frames = check_.frames();
    report_.distinct = check_.distinct();
    report_.origins = check_.report();
    report_.expected = options_.expected_frames;
    if (report_.messages > 0) {
      report_.seconds = std::chrono::duration<double>(news_at_ - started_at_).count();
    }
    return std::move(report_);
  }

  const ConsumeOptions& options_;
  FramesFile output_;
  StreamReader reader_;
  asio::io_context context_{1};
  asio::signal_set signals_{context_, SIGINT, SIGTERM};
  ProgressLine line_;

  SequenceCheck check_;
  ConsumeReport report_;
  std::uint64_t pending_ = 1;  // messages in the stream after the last one; 1 until that is known
  bool stopped_ = false;
  Clock::time_point started_at_;
  Clock::time_point news_at_ = Clock::now();
  Clock::time_point drawn_at_ = Clock::now();
  std::uint64_t frames_then_ = 0;
};

}  // namespace

ConsumeReport consume(const ConsumeOptions& options) {
  return Consumption(options).run();
}

}  // namespace meridian::sim
