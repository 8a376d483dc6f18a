/// Keeps a repeated condition from filling the log.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace meridian::runtime {

/// Lets one message a second through. Not thread-safe.
class LogLimit {
 public:
  using Clock = std::chrono::steady_clock;

  /// Has a value if a message may be logged now: the number of messages held back since the last
  /// one.
  [[nodiscard]] std::optional<std::uint64_t> admit(Clock::time_point now) {
    if (last_ && now - *last_ < std::chrono::seconds(1)) {
      ++held_back_;
      return std::nullopt;
    }
    last_ = now;
    return std::exchange(held_back_, 0);
  }

 private:
  std::optional<Clock::time_point> last_;
  std::uint64_t held_back_ = 0;
};

}  // namespace meridian::runtime
