/// What a new configuration changes.
#pragma once

#include "daemon/config.hpp"

#include <string>
#include <vector>

namespace meridian::daemon {

/// Paths of keys whose values differ, such as `buffer.max_frames` or `uplinks[0].listen`, written
/// as in errors. Indexes are those of the new configuration. A whole listener is `uplinks[0]
/// ("native", added)`, or `removed` with its index in the old configuration.
struct ConfigChanges {
  std::vector<std::string> applied;        ///< a reload applies them
  std::vector<std::string> needs_restart;  ///< they take effect at the next start
};

[[nodiscard]] ConfigChanges changes_between(const Config& now, const Config& next);

/// `next`, with everything that needs a restart taken from `now`.
[[nodiscard]] Config applicable(const Config& now, Config next);

}  // namespace meridian::daemon
