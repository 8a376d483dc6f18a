/// Where the log goes and what its lines look like.
#pragma once

#include "daemon/config.hpp"
#include "daemon/log_writer.hpp"

#include <spdlog/sinks/sink.h>

#include <chrono>
#include <memory>

namespace meridian::daemon {

/// Opens the log that the options describe. Text lines are "TIME LEVEL MESSAGE"; JSON lines are
/// objects with the keys time, level and message, and one for each name of a field. Times are UTC.
/// Text for a standard stream that leads to the journal becomes journal entries with fields. Throws
/// std::runtime_error, naming log.target, if a log file cannot be opened.
[[nodiscard]] std::shared_ptr<LogWriter> open_log(const LogOptions& options);

/// Sends messages of all threads to `log` from now on. Thread-safe.
void set_log(std::shared_ptr<LogWriter> log, spdlog::level::level_enum level);

/// Closes the log that `set_log` replaced, once all of its lines are written. To be called from
/// time to time. Thread-safe.
void release_former_log();

/// Waits until everything that was logged is written, but not for long if a target does not take
/// it. To be called at the end of the process.
void flush_log();

}  // namespace meridian::daemon
