/// Where the log goes and what its lines look like.
#pragma once

#include "daemon/config.hpp"

namespace meridian::daemon {

/// Sets spdlog's default logger. Text lines are "TIME LEVEL MESSAGE"; JSON lines are objects with
/// the keys time, level and message. Times are UTC.
/// Throws spdlog::spdlog_ex if a log file cannot be opened.
void set_up_logging(const LogOptions& options);

}  // namespace meridian::daemon
