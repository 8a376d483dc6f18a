/// How long to wait before the next attempt.
#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace meridian::sink {

/// Pauses that double from 100 ms to 10 s, each shortened at random by up to a half, so that many
/// clients of a server that comes back do not all knock at once. Not thread-safe.
class Pauses {
 public:
  static constexpr std::chrono::milliseconds shortest{100};
  static constexpr std::chrono::milliseconds longest{10'000};

  explicit Pauses(std::uint32_t seed) : random_(seed) {}

  [[nodiscard]] std::chrono::milliseconds next() {
    const std::chrono::milliseconds whole = next_;
    next_ = std::min(next_ * 2, longest);
    std::uniform_int_distribution<std::chrono::milliseconds::rep> share(whole.count() / 2,
                                                                        whole.count());
    return std::chrono::milliseconds(share(random_));
  }

  void reset() noexcept { next_ = shortest; }

 private:
  std::minstd_rand random_;
  std::chrono::milliseconds next_ = shortest;
};

}  // namespace meridian::sink
