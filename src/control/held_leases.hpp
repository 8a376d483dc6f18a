/// The leases that a client of the control socket has taken.
#pragma once

#include <meridian/aggregator.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <vector>

namespace meridian::control {

/// Remembers which leases belong to a client. No other client may end them, and they end with the
/// client. An expired lease is remembered until another one needs its place, so that a late commit
/// is told why it fails.
///
/// Not thread-safe.
class HeldLeases {
 public:
  using Clock = std::chrono::steady_clock;

  /// Leases that a client may have at a time.
  static constexpr std::size_t most = 1024;

  /// Whether one more lease can be added. Forgets expired ones if necessary.
  [[nodiscard]] bool has_room(Clock::time_point now);

  /// Whether any lease has not expired yet.
  [[nodiscard]] bool holds_any(Clock::time_point now) const {
    return std::ranges::any_of(expires_at_,
                               [now](const auto& lease) { return lease.second > now; });
  }

  void add(LeaseId id, Clock::time_point expires_at) { expires_at_.emplace(id, expires_at); }

  /// Returns false if there is no such lease.
  [[nodiscard]] bool remove(LeaseId id) { return expires_at_.erase(id) > 0; }

  [[nodiscard]] std::vector<LeaseId> take_all();

 private:
  std::map<LeaseId, Clock::time_point> expires_at_;
};

}  // namespace meridian::control
