/// Unique numbers.
#pragma once

#include <cstdint>
#include <random>

namespace meridian::inline v2::aggregator {

/// Differs from all others, even in copies of this machine that start at the same moment; never 0.
[[nodiscard]] inline std::uint64_t new_epoch() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random() | 1U;
}

}  // namespace meridian::inline v2::aggregator
