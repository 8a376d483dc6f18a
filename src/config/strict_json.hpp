/// Strict JSON, as configurations are written.
#pragma once

#include "runtime/json_scan.hpp"

#include <nlohmann/json.hpp>

#include <string_view>

namespace meridian::config {

using runtime::shown_key;

/// Reads JSON with `//` comments. Throws Error if the text is not valid. Also throws Error if an
/// object has a key twice, of which the parser alone would keep the last one, if a number is too
/// large, or if values are nested deeper than in any configuration. The message then names the
/// place by its path.
[[nodiscard]] nlohmann::json parse_strictly(std::string_view text);

}  // namespace meridian::config
