/// Whether the daemon is alive and ready, for services that restart it or send it uplinks.
#pragma once

#include "status/json.hpp"

#include <meridian/aggregator.hpp>

namespace meridian::status {

/// `reason` says why, even if all is well.
struct Verdict {
  bool good = true;
  Json reason;
};

/// Alive: the aggregator answers within a second.
[[nodiscard]] Verdict judge_health(bool aggregator_answers);

/// Whether there is no room for one more frame of the average size.
[[nodiscard]] bool is_full(const BufferLevel& buffer) noexcept;

/// Ready: listeners and control socket are up. If the policy drops frames from a full buffer, the
/// buffer also has room for one more frame of the average size.
[[nodiscard]] Verdict judge_readiness(bool serving, const BufferLevel& buffer);

/// Not ready: the file of the control socket is gone, so no operator can connect. `inherited`: the
/// file came from the service manager.
[[nodiscard]] Verdict without_control_socket(bool inherited);

}  // namespace meridian::status
