/// `meridianctl health`, for scripts and monitors.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace meridian::ctl {

// Exit statuses in the style of Nagios plugins.
inline constexpr int health_ok = 0;
inline constexpr int health_not_ready = 1;  ///< alive, but no uplinks should connect to the daemon
inline constexpr int health_dead = 2;       ///< the aggregator does not answer
inline constexpr int health_unknown = 3;    ///< the daemon does not answer

/// Both take the result of the method `health`.
[[nodiscard]] int health_status(const nlohmann::ordered_json& result);
[[nodiscard]] std::string report_health(const nlohmann::ordered_json& result);

}  // namespace meridian::ctl
