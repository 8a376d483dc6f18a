/// Reads the daemon's configuration, and checks it.
#pragma once

#include "config/error.hpp"
#include "daemon/config.hpp"

#include <filesystem>
#include <optional>
#include <string_view>

namespace meridian::daemon {

/// Throws config::Error if a sink must hold frames that the buffer's policy would drop.
void check_sinks(const Config& config);

/// The defaults of all keys, which hold where a file omits a key.
[[nodiscard]] Config default_config();

/// Reads JSON with `//` comments. Throws config::Error. Also accepts the keys of parts that this
/// build leaves out.
[[nodiscard]] Config parse_config(std::string_view text);

/// Reads a file. Throws config::Error, whose message begins with the file's name.
[[nodiscard]] Config load_config(const std::filesystem::path& file);

/// Throws config::Error if the configuration asks for a part that this build leaves out.
void check_build(const Config& config);

/// The configuration in the file that config::find_file finds, or the defaults. Throws
/// config::Error.
[[nodiscard]] Config find_config(const std::optional<std::filesystem::path>& given);

}  // namespace meridian::daemon
