/// What a new configuration changes.
#pragma once

#include "daemon/config.hpp"

#include <string>
#include <vector>

namespace meridian::daemon {

/// Paths of keys whose values differ, such as `buffer.max_frames` or `uplinks["native"].listen`;
/// for whole listeners `uplinks["native"] (added)`.
struct ConfigChanges {
  std::vector<std::string> applied;        ///< a reload applies them
  std::vector<std::string> needs_restart;  ///< they hold from the next start on
};

[[nodiscard]] ConfigChanges changes_between(const Config& now, const Config& next);

/// `next`, but what needs a restart as it is now.
[[nodiscard]] Config applicable(const Config& now, Config next);

}  // namespace meridian::daemon
