/// Whether the daemon is alive, and whether it serves.
#pragma once

#include <atomic>
#include <chrono>

namespace meridian::status {

/// When the aggregator last answered. The daemon asks it repeatedly, and notes the answers here.
/// Thread-safe.
class Pulse {
 public:
  using Clock = std::chrono::steady_clock;

  /// How long an answer may take; the daemon asks at least this often.
  static constexpr std::chrono::seconds patience{1};

  /// The aggregator has answered.
  void beat(Clock::time_point now) noexcept { last_beat_.store(now, std::memory_order_relaxed); }

  /// Whether the aggregator answers within `patience`, as far as the last answer shows.
  [[nodiscard]] bool beats(Clock::time_point now) const noexcept;

  /// Whether listeners and control socket are up.
  void set_serving(bool serving) noexcept { serving_.store(serving, std::memory_order_relaxed); }
  [[nodiscard]] bool serving() const noexcept { return serving_.load(std::memory_order_relaxed); }

 private:
  std::atomic<Clock::time_point> last_beat_{Clock::now()};
  std::atomic<bool> serving_{false};
};

}  // namespace meridian::status
