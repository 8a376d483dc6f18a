/// Files that hold a secret of the daemon.
#pragma once

#include "daemon/config.hpp"

#include <string>
#include <vector>

namespace meridian::daemon {

/// A sentence about each file that holds a secret and that every user can read. Such files are
/// credentials and keys of sinks, and the configuration if a server's URL has a password. Names the
/// file and what to do. May block on a file system.
[[nodiscard]] std::vector<std::string> open_secrets(const Config& config);

/// Logs each of these sentences.
void warn_of_open_secrets(const std::vector<std::string>& open);

}  // namespace meridian::daemon
