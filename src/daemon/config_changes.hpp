/// What a new configuration changes.
#pragma once

#include "daemon/config.hpp"

#include <string>
#include <vector>

namespace meridian::daemon {

/// Paths of keys whose values differ, such as `buffer.max_frames` or `uplinks[0].listen`, as errors
/// name them: the number is that in the new configuration. For whole listeners `uplinks[0]
/// ("native", added)`, or `removed` with the number in the old one.
struct ConfigChanges {
  std::vector<std::string> applied;        ///< a reload applies them
  std::vector<std::string> needs_restart;  ///< they hold from the next start on
};

[[nodiscard]] ConfigChanges changes_between(const Config& now, const Config& next);

/// `next`, but what needs a restart as it is now.
[[nodiscard]] Config applicable(const Config& now, Config next);

}  // namespace meridian::daemon
