#include "daemon/logging.hpp"

#include "runtime/log.hpp"
#include "runtime/printable.hpp"
#include "service/journal_sink.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/formatter.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include <poll.h>
#include <unistd.h>

namespace meridian::daemon {

namespace {

using Json = nlohmann::json;

void append(spdlog::memory_buf_t& out, std::string_view text) {
  out.append(text.data(), text.data() + text.size());
}

std::string json_string(std::string_view text) {
  return Json(std::string(text)).dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// The JSON of all fields of one name: a string, or a list of strings.
std::string value_of(std::span<const runtime::log::Field> fields) {
  if (fields.size() == 1) {
    return json_string(fields.front().value);
  }
  std::string list;
  for (const runtime::log::Field& field : fields) {
    list += (list.empty() ? "" : ",") + json_string(field.value);
  }
  return fmt::format("[{}]", list);
}

/// The message as a JSON string, with the fields after it, for the pattern "%*".
class JsonMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
              spdlog::memory_buf_t& out) override {
    append(out, json_string({message.payload.data(), message.payload.size()}));
    std::span<const runtime::log::Field> rest = runtime::log::current_fields();
    while (!rest.empty()) {
      const auto end = std::ranges::find_if(
          rest, [&rest](const auto& field) { return field.name != rest.front().name; });
      const auto same = rest.first(static_cast<std::size_t>(end - rest.begin()));
      append(out, fmt::format(R"(,"{}":{})", rest.front().name, value_of(same)));
      rest = rest.subspan(same.size());
    }
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JsonMessage>();
  }
};

/// The message, made printable on one line, for the pattern "%*". It may contain text from a server
/// or a peer.
class PrintableMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
              spdlog::memory_buf_t& out) override {
    append(out, runtime::printable({message.payload.data(), message.payload.size()}));
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<PrintableMessage>();
  }
};

/// Hands messages to a writer, which can be replaced while threads log.
class ReplaceableSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  void replace(std::shared_ptr<LogWriter> next) {
    const std::lock_guard lock(mutex_);
    before_ = std::exchange(writer_, std::move(next));
  }

  /// Releases the former writer, and so its file, once it has written all of its lines.
  void release_former() {
    const std::lock_guard lock(mutex_);
    if (before_ && before_->wait_written(std::chrono::milliseconds(0))) {
      before_.reset();
    }
  }

  /// The writers that may still have lines to write. Some may be null.
  [[nodiscard]] std::vector<std::shared_ptr<LogWriter>> writers() {
    const std::lock_guard lock(mutex_);
    return {before_, writer_};
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (writer_) {
      writer_->log(message);
    }
  }
  void flush_() override {}  // writers flush on their own

 private:
  // Protected by the base's mutex_.
  std::shared_ptr<LogWriter> writer_;
  std::shared_ptr<LogWriter> before_;  // kept until its lines are written, for `flush_log`
};

/// Writes lines to a descriptor, without the lock and the buffer of a C stream. If nothing reads
/// the stream, a thread is stuck here, and must not keep others from standard error.
class StreamSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit StreamSink(int stream) : stream_(stream) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    std::string_view rest(line.data(), line.size());
    while (!rest.empty()) {
      const ssize_t bytes = ::write(stream_, rest.data(), rest.size());
      if (bytes >= 0) {
        rest.remove_prefix(static_cast<std::size_t>(bytes));
      } else if (errno == EAGAIN) {
        pollfd room{.fd = stream_, .events = POLLOUT, .revents = 0};
        ::poll(&room, 1, /*timeout=*/-1);
      } else if (errno != EINTR) {
        throw std::system_error(errno, std::generic_category());
      }
    }
  }
  void flush_() override {}

 private:
  const int stream_;
};

spdlog::sink_ptr open_target(const LogOptions& options) {
  const bool is_stdout = options.target == "stdout";
  if (is_stdout || options.target == "stderr") {
    const int stream = is_stdout ? STDOUT_FILENO : STDERR_FILENO;
    if (options.format == LogFormat::text && service::is_journal(stream)) {
      return service::make_journal_sink();
    }
    return std::make_shared<StreamSink>(stream);
  }
  // spdlog would create the directories itself, and so hide a typo.
  if (!std::filesystem::is_directory(std::filesystem::path(options.target).parent_path())) {
    throw std::runtime_error("log.target: the directory of " + options.target +
                             " does not exist; create it, or name another file");
  }
  if (std::filesystem::is_fifo(options.target)) {
    throw std::runtime_error("log.target: " + options.target +
                             " is a pipe, whose reader could block the daemon; name a file");
  }
  try {
    return std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.target);
  } catch (const spdlog::spdlog_ex& error) {
    throw std::runtime_error(fmt::format("log.target: {}", error.what()));
  }
}

std::unique_ptr<spdlog::formatter> make_formatter(LogFormat format) {
  constexpr auto utc = spdlog::pattern_time_type::utc;
  auto formatter = std::make_unique<spdlog::pattern_formatter>(utc);
  if (format == LogFormat::text) {
    formatter->add_flag<PrintableMessage>('*').set_pattern("%Y-%m-%dT%H:%M:%S.%fZ %l %*");
    return formatter;
  }
  formatter->add_flag<JsonMessage>('*').set_pattern(
      R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l","message":%*})");
  return formatter;
}

/// The sink of spdlog's default logger. The logger itself is never replaced once threads use it,
/// since that is not thread-safe.
ReplaceableSink& sink_of_process() {
  static const auto sink = [] {
    auto replaceable = std::make_shared<ReplaceableSink>();
    auto logger = std::make_shared<spdlog::logger>("meridiand", replaceable);
    spdlog::set_default_logger(std::move(logger));
    return replaceable;
  }();
  return *sink;
}

}  // namespace

std::shared_ptr<LogWriter> open_log(const LogOptions& options) {
  const spdlog::sink_ptr target = open_target(options);
  target->set_formatter(make_formatter(options.format));
  return std::make_shared<LogWriter>(target);
}

void set_log(std::shared_ptr<LogWriter> log, spdlog::level::level_enum level) {
  sink_of_process().replace(std::move(log));
  spdlog::default_logger_raw()->set_level(level);
}

void release_former_log() {
  sink_of_process().release_former();
}

void flush_log() {
  constexpr std::chrono::milliseconds patience{500};  // for each writer, of which there may be two
  for (const std::shared_ptr<LogWriter>& writer : sink_of_process().writers()) {
    if (writer) {
      std::ignore = writer->wait_written(patience);
    }
  }
}

}  // namespace meridian::daemon
