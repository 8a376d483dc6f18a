/// JSON as a configuration is to be written.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace meridian::daemon {

/// A key as it can be shown: escaped, and not longer than a line.
[[nodiscard]] std::string shown_key(std::string_view key);

/// Reads JSON with `//` comments. Throws ConfigError where it is not valid, and, naming the place
/// by its path, where a key stands twice in one object (the parser alone would keep the last one),
/// a number is too large, or it is nested deeper than any configuration.
[[nodiscard]] nlohmann::json parse_strictly(std::string_view text);

}  // namespace meridian::daemon
