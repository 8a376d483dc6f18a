/// Reads a stream back as a whole, with progress and a report.
#pragma once

#include "sim/consume_options.hpp"
#include "sim/consume_report.hpp"

namespace meridian::sim {

/// Reads until the frames that are expected have come and the stream holds no more, until nothing
/// new has come for the idle timeout, or until SIGINT or SIGTERM. By then what was read is
/// acknowledged. Shows progress on the standard error if that is a terminal.
///
/// Throws std::runtime_error if reading cannot start, or if the output cannot be written. What else
/// goes wrong is in the report.
[[nodiscard]] ConsumeReport consume(const ConsumeOptions& options);

}  // namespace meridian::sim
