/// What the tools read in the daemon's configuration file. The rest of the file may be wrong, or
/// for another version of the daemon.
#pragma once

#include "sink/options.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace meridian::ctl {

/// Where the daemon of this machine puts its control socket, as far as this user can know.
[[nodiscard]] std::string socket_of_the_daemon();

/// The sinks in `file`, by default in the installed configuration. Throws config::Error.
[[nodiscard]] std::vector<sink::Options> configured_sinks(
    const std::optional<std::filesystem::path>& file);

}  // namespace meridian::ctl
