/// A simulation as a whole: its uplinks, its progress, its result.
#pragma once

#include "sim/options.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace meridian::sim {

struct Result {
  std::uint64_t frames = 0;  ///< whole frames that the sockets took
  std::uint64_t octets = 0;
  double seconds = 0;       ///< from the start to the end of the last uplink
  double held_seconds = 0;  ///< time for which writes waited, summed over uplinks
  std::size_t uplinks = 0;
  std::vector<std::string> failures;  ///< one for each uplink that did not finish
};

/// Runs all uplinks to their end, or until SIGINT or SIGTERM. Shows progress on the standard error
/// if that is a terminal. Throws std::runtime_error if the simulation cannot start.
[[nodiscard]] Result simulate(const Options& options);

/// The result as lines of text, without its failures, and as JSON.
[[nodiscard]] std::string to_text(const Result& result);
[[nodiscard]] std::string to_json(const Result& result);

/// Why uplinks failed: one sentence for each reason, with the number of uplinks.
[[nodiscard]] std::vector<std::string> failures_of(const Result& result);

}  // namespace meridian::sim
