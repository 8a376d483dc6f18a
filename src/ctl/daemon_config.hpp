/// What the tools read from the daemon's configuration file. The rest of the file may be wrong, or
/// may be for another version of the daemon.
#pragma once

#include "sink/options.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace meridian::ctl {

/// Where the daemon of this machine puts its control socket, as far as the user can find out.
[[nodiscard]] std::string socket_of_the_daemon();

/// The sinks in `file`, by default in the installed configuration. Throws config::Error.
[[nodiscard]] std::vector<sink::Options> configured_sinks(
    const std::optional<std::filesystem::path>& file);

}  // namespace meridian::ctl
