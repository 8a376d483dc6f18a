/// Numbers that identify the starts of aggregators.
#pragma once

#include <cstdint>
#include <random>

namespace meridian::inline v2::aggregator {

/// A number that differs from all other epochs, even if copies of this machine start at the same
/// moment. Never 0.
[[nodiscard]] inline std::uint64_t new_epoch() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random() | 1U;
}

}  // namespace meridian::inline v2::aggregator
