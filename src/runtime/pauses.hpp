/// How long to wait before the next attempt.
#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace meridian::runtime {

/// Pauses that double from 100 ms to 10 s. Each is shortened at random, by up to a half: when a
/// server comes back, its clients do not all connect at once. Not thread-safe.
class Pauses {
 public:
  static constexpr std::chrono::milliseconds shortest{100};
  static constexpr std::chrono::milliseconds longest{10'000};

  explicit Pauses(std::uint32_t seed) : random_(seed) {}

  /// The pause after this many consecutive failures; 0 counts as 1.
  [[nodiscard]] std::chrono::milliseconds after(unsigned failures) {
    constexpr unsigned most_doublings = 7;  // to more than `longest`
    const unsigned doublings = std::min(std::max(failures, 1U) - 1, most_doublings);
    const auto whole = std::min(shortest * (1U << doublings), longest);
    std::uniform_int_distribution<std::chrono::milliseconds::rep> share(whole.count() / 2,
                                                                        whole.count());
    return std::chrono::milliseconds(share(random_));
  }

  /// The pause after one more failure since the last `reset`.
  [[nodiscard]] std::chrono::milliseconds next() { return after(++failures_); }
  void reset() noexcept { failures_ = 0; }

 private:
  std::minstd_rand random_;
  unsigned failures_ = 0;
};

}  // namespace meridian::runtime
