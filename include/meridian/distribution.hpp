/// How a quantity is distributed: counts in fixed ranges, as in a histogram.
///
/// Stable: see <meridian/version.hpp>.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace meridian::inline v2 {

/// Observations of a quantity, counted by ranges. `upper_bounds` is an ascending array. Each bound
/// belongs to the range below it, and values above the last bound have a range of their own.
///
/// A value type: not thread-safe, and freely copied. `add` takes a few nanoseconds, whatever the
/// value.
template <const auto& upper_bounds>
class Distribution {
 public:
  static constexpr std::size_t ranges = upper_bounds.size() + 1;

  void add(std::uint64_t value) noexcept {
    const auto* const range = std::ranges::lower_bound(upper_bounds, value);
    ++counts_[static_cast<std::size_t>(range - upper_bounds.begin())];
    sum_ += value;
  }

  /// How many observations fell into each range.
  [[nodiscard]] const std::array<std::uint64_t, ranges>& counts() const noexcept { return counts_; }

  /// The sum of all values, modulo 2^64.
  [[nodiscard]] std::uint64_t sum() const noexcept { return sum_; }

 private:
  std::array<std::uint64_t, ranges> counts_{};
  std::uint64_t sum_ = 0;
};

}  // namespace meridian::inline v2
