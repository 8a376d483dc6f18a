#include "control/held_leases.hpp"

#include <utility>

namespace meridian::control {

bool HeldLeases::has_room(Clock::time_point now) {
  if (expires_at_.size() >= most) {
    std::erase_if(expires_at_, [now](const auto& lease) { return lease.second <= now; });
  }
  return expires_at_.size() < most;
}

std::vector<LeaseId> HeldLeases::take_all() {
  std::vector<LeaseId> ids;
  for (const auto& [id, expires_at] : std::exchange(expires_at_, {})) {
    ids.push_back(id);
  }
  return ids;
}

}  // namespace meridian::control
