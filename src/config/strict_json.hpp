/// Strict JSON, as configurations are written.
#pragma once

#include "runtime/json_scan.hpp"

#include <nlohmann/json.hpp>

#include <string_view>

namespace meridian::config {

using runtime::shown_key;

/// Reads JSON with `//` comments. Throws Error if it is not valid. Also throws it, naming the
/// place by its path, if a key is given twice in one object (the parser alone would keep the last
/// one), a number is too large, or it is nested deeper than any configuration.
[[nodiscard]] nlohmann::json parse_strictly(std::string_view text);

}  // namespace meridian::config
