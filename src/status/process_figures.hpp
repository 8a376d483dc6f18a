/// What the system says about this process.
#pragma once

#include <cstdint>
#include <optional>

namespace meridian::status {

struct ProcessFigures {
  double cpu_s = 0;  ///< user and system
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_descriptors = 0;
  std::uint64_t max_descriptors = 0;
  std::uint64_t threads = 0;
  double started_at_s = 0;  ///< since 1970
};

/// Asks the system, which takes less than a millisecond. Nothing if the system does not answer.
[[nodiscard]] std::optional<ProcessFigures> process_figures();

}  // namespace meridian::status
