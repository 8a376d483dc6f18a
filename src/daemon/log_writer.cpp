#include "daemon/log_writer.hpp"

#include "runtime/log.hpp"

#include <fmt/format.h>
#include <spdlog/details/log_msg.h>
#include <spdlog/details/log_msg_buffer.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

namespace meridian::daemon {

namespace {

struct Line {
  spdlog::details::log_msg_buffer message;
  runtime::log::Fields fields;
  std::size_t bytes;
};

Line line_of(const spdlog::details::log_msg& message) {
  const auto fields = runtime::log::current_fields();
  std::size_t bytes = sizeof(Line) + message.payload.size();
  for (const runtime::log::Field& field : fields) {
    bytes += sizeof field + field.value.size();
  }
  return {.message = spdlog::details::log_msg_buffer(message),
          .fields = {fields.begin(), fields.end()},
          .bytes = bytes};
}

}  // namespace

struct LogWriter::Queue {
  Queue(spdlog::sink_ptr to, Bounds most) : target(std::move(to)), bounds(most) {}

  void add(Line line);
  /// What the thread runs. Returns once `ended` is set and everything is written.
  void write_all();
  /// False if the target did not take the line.
  bool write(const spdlog::details::log_msg& message, const runtime::log::Fields& fields);
  /// Logs how many lines were lost, in their place. False if the target did not take this line.
  bool tell_lost(std::uint64_t lines);

  const spdlog::sink_ptr target;  // used by the thread, once it runs
  const Bounds bounds;

  std::mutex mutex;
  // Protected by mutex.
  std::condition_variable more;     // lines, or the end
  std::condition_variable written;  // everything
  std::deque<Line> lines;
  std::size_t bytes = 0;
  std::uint64_t lost = 0;  // lines not reported yet; older than all queued ones
  bool busy = false;       // the thread is writing a line
  bool ended = false;
};

void LogWriter::Queue::add(Line line) {
  const std::lock_guard lock(mutex);
  std::uint64_t lost_now = 0;
  bytes += line.bytes;
  lines.push_back(std::move(line));
  while (lines.size() > 1 && (lines.size() > bounds.lines || bytes > bounds.bytes)) {
    bytes -= lines.front().bytes;
    lines.pop_front();
    ++lost_now;
  }
  lost += lost_now;
  runtime::log::count_lost(lost_now);
  more.notify_one();
}

void LogWriter::Queue::write_all() {
  std::unique_lock lock(mutex);
  for (;;) {
    if (lines.empty()) {
      busy = false;
      written.notify_all();
      more.wait(lock, [this] { return ended || !lines.empty(); });
      if (lines.empty()) {
        return;
      }
    }
    busy = true;
    const std::uint64_t lost_before = std::exchange(lost, 0);
    const Line line = std::move(lines.front());
    bytes -= line.bytes;
    lines.pop_front();
    const bool is_last = lines.empty();
    lock.unlock();
    const bool told = lost_before == 0 || tell_lost(lost_before);
    const bool taken = write(line.message, line.fields);
    if (is_last) {
      try {
        target->flush();
      } catch (const std::exception&) {  // a failed flush counts no line as lost
      }
    }
    runtime::log::count_lost(taken ? 0 : 1);
    lock.lock();
    lost += (told ? 0 : lost_before) + (taken ? 0 : 1);
  }
}

bool LogWriter::Queue::write(const spdlog::details::log_msg& message,
                             const runtime::log::Fields& fields) {
  const runtime::log::FieldScope scope(fields);
  try {
    target->log(message);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

bool LogWriter::Queue::tell_lost(std::uint64_t count) {
  const std::string text = fmt::format(
      "{} log lines are lost: log.target could not keep up, or writing to it failed", count);
  return write(spdlog::details::log_msg("meridiand", spdlog::level::warn, text),
               {{"reason", "log_lines_lost"}});
}

LogWriter::LogWriter(spdlog::sink_ptr target) : LogWriter(std::move(target), Bounds{}) {}

LogWriter::LogWriter(spdlog::sink_ptr target, Bounds bounds)
    : queue_(std::make_shared<Queue>(std::move(target), bounds)) {
  // Detached: the thread may wait in the target for ever, and the process must be able to end.
  std::thread([queue = queue_] { queue->write_all(); }).detach();
}

LogWriter::~LogWriter() {
  const std::lock_guard lock(queue_->mutex);
  queue_->ended = true;
  queue_->more.notify_one();
}

void LogWriter::log(const spdlog::details::log_msg& message) {
  queue_->add(line_of(message));
}

void LogWriter::set_pattern(const std::string& pattern) {
  queue_->target->set_pattern(pattern);
}

void LogWriter::set_formatter(std::unique_ptr<spdlog::formatter> formatter) {
  queue_->target->set_formatter(std::move(formatter));
}

bool LogWriter::wait_written(std::chrono::milliseconds patience) {
  std::unique_lock lock(queue_->mutex);
  return queue_->written.wait_for(lock, patience,
                                  [this] { return queue_->lines.empty() && !queue_->busy; });
}

}  // namespace meridian::daemon
