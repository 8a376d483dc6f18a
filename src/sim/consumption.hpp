/// Reads a stream back as a whole, with progress and a report.
#pragma once

#include "sim/consume_options.hpp"
#include "sim/consume_report.hpp"

namespace meridian::sim {

/// Reads until all expected frames have come and the stream holds no more, until nothing new has
/// come for the idle timeout, or until SIGINT or SIGTERM. Acknowledges everything that it has read.
/// Shows progress on the standard error if that is a terminal.
///
/// Throws std::runtime_error if reading cannot start, or if the output cannot be written. The
/// report has all other failures.
[[nodiscard]] ConsumeReport consume(const ConsumeOptions& options);

}  // namespace meridian::sim
