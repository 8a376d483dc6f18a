/// The daemon's answers, for people.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace meridian::ctl {

using Json = nlohmann::ordered_json;

/// Each function takes the result of the method of its name, and returns lines of text. It throws
/// nlohmann::json::exception if the result lacks a field of docs/reference/control-methods.md.
[[nodiscard]] std::string report_depth(const Json& result);
[[nodiscard]] std::string report_flush(const Json& result);
[[nodiscard]] std::string report_stats(const Json& result);
[[nodiscard]] std::string report_uplinks(const Json& result);
[[nodiscard]] std::string report_forget(const Json& result);
[[nodiscard]] std::string report_satellites(const Json& result);
[[nodiscard]] std::string report_sinks(const Json& result);
[[nodiscard]] std::string report_reload(const Json& result);
[[nodiscard]] std::string report_log_level(const Json& result);
[[nodiscard]] std::string report_version(const Json& result);

/// A line of JSON for programs. It is ASCII, so that any terminal shows all of it.
[[nodiscard]] inline std::string json_line(const Json& json) {
  return json.dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace) + "\n";
}

}  // namespace meridian::ctl
