/// Latencies, from the fastest to the slowest.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <vector>

namespace meridian::bench {

/// Prints one line of JSON, in microseconds.
inline void print_percentiles(std::vector<double> us) {
  std::ranges::sort(us);
  const auto at = [&](double share) {
    const auto index = static_cast<std::size_t>(std::ceil(share * static_cast<double>(us.size())));
    return us.empty() ? 0.0 : us[std::clamp<std::size_t>(index, 1, us.size()) - 1];
  };
  std::printf(
      "{\"samples\": %zu, \"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, \"max_us\": "
      "%.1f}\n",
      us.size(), at(0.5), at(0.99), at(0.999), at(1.0));
}

}  // namespace meridian::bench
