/// Reading a stream back as a whole: its messages, its progress, its report.
#pragma once

#include "sim/consume_options.hpp"
#include "sim/consume_report.hpp"

namespace meridian::sim {

/// Reads until the frames that are expected have come and the stream holds no more, until nothing
/// new has come for the idle timeout, or until SIGINT or SIGTERM. What was read is acknowledged
/// then. Shows progress on the standard error where that is a terminal.
///
/// Throws std::runtime_error where reading cannot start, and where the output cannot be written;
/// what goes wrong later is in the report.
[[nodiscard]] ConsumeReport consume(const ConsumeOptions& options);

}  // namespace meridian::sim
