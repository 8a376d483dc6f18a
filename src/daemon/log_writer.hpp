/// Writes log lines to a target that may be slow.
#pragma once

#include <spdlog/sinks/sink.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace meridian::daemon {

/// An spdlog sink in front of another one, its target. It queues a copy of each line, and a thread
/// of its own writes the lines. So a caller that logs never waits for the target. If lines come
/// faster than the target takes them, the oldest queued lines are lost. Their number is logged in
/// their place and counted (`runtime::log::lost_lines`).
///
/// Thread-safe. Lines that are queued when this is destroyed are still written by the thread, after
/// the destructor has returned.
class LogWriter final : public spdlog::sinks::sink {
 public:
  struct Bounds {
    std::size_t lines = 8192;
    std::size_t bytes = 4 * 1024 * 1024;
  };

  /// Throws std::system_error if the thread cannot be started.
  explicit LogWriter(spdlog::sink_ptr target);
  LogWriter(spdlog::sink_ptr target, Bounds bounds);
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;
  ~LogWriter() override;

  void log(const spdlog::details::log_msg& message) override;

  /// Does nothing: the thread flushes whenever the queue is empty.
  void flush() override {}

  // These change how the target formats lines. To be called before the first line.
  void set_pattern(const std::string& pattern) override;
  void set_formatter(std::unique_ptr<spdlog::formatter> formatter) override;

  /// Waits until everything that was logged is written and flushed. False if that takes longer than
  /// `patience`.
  bool wait_written(std::chrono::milliseconds patience);

 private:
  struct Queue;

  std::shared_ptr<Queue> queue_;  // shared with the thread, which may outlive this
};

}  // namespace meridian::daemon
