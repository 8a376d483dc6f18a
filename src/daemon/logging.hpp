/// Where the log goes and what its lines look like.
#pragma once

#include "daemon/config.hpp"
#include "daemon/log_writer.hpp"

#include <spdlog/sinks/sink.h>

#include <chrono>
#include <memory>

namespace meridian::daemon {

/// Opens what the options say: text lines are "TIME LEVEL MESSAGE"; JSON lines are objects with the
/// keys time, level and message, and one for each field. Times are UTC. Text for a standard stream
/// that is the journal's becomes entries of the journal, with its fields.
/// Throws std::runtime_error, naming log.target, if a log file cannot be opened.
[[nodiscard]] std::shared_ptr<LogWriter> open_log(const LogOptions& options);

/// Messages go there from now on, from all threads. Thread-safe.
void set_log(std::shared_ptr<LogWriter> log, spdlog::level::level_enum level);

/// Closes the log that `set_log` replaced, once what it was given is written. To be called now and
/// then. Thread-safe.
void release_former_log();

/// Waits until what was logged is written; not for long where nobody reads it. For the end of the
/// process.
void flush_log();

}  // namespace meridian::daemon
