/// All keys of the configuration, in the order in which they are documented.
#pragma once

#include "config/key.hpp"
#include "control/keys.hpp"
#include "daemon/config.hpp"
#include "http/keys.hpp"

#include <string_view>

namespace meridian::daemon {

// Keys of sections whose values are in Config itself.
[[nodiscard]] config::Keys<Config> channel_keys();
[[nodiscard]] config::Keys<Config> buffer_keys();
[[nodiscard]] config::Keys<Config> state_keys();
[[nodiscard]] config::Keys<Config> satellite_keys();
[[nodiscard]] config::Keys<Config> log_keys();
/// Keys that are in no section.
[[nodiscard]] config::Keys<Config> plain_keys();

/// An object of the configuration.
struct Section {
  std::string_view name;      ///< "" for keys in no section
  std::string_view sentence;  ///< what it is about
};

inline constexpr Section uplinks_section{
    "uplinks",
    "Listeners for uplinks. A reload keeps the sessions of a listener whose `name`, "
    "`framing` and `satellite_id` stay the same, whatever else has changed. It ends the "
    "sessions of a listener that is gone, and keeps what they have read."};
inline constexpr Section sinks_section{
    "sinks",
    "Where frames go without a client that drains them. Each sink reads the buffer at its "
    "own position and publishes what it reads. Frames leave the buffer once all sinks "
    "have delivered them. A build without NATS refuses any sink."};

/// Calls `visit(section, keys, part)` for each section. `part` returns the object in a Config into
/// which the values of the keys go. The lists of listeners and sinks are not among the sections:
/// see uplink/keys.hpp and sink/keys.hpp.
template <typename Visit>
void visit_sections(Visit&& visit) {
  constexpr auto whole = [](auto& config) -> auto& { return config; };
  visit(Section{"channel", "The queue between the sessions and the aggregator."}, channel_keys(),
        whole);
  visit(Section{"buffer", "Limits of the buffer, where frames wait to be drained or delivered."},
        buffer_keys(), whole);
  visit(Section{"control", "The control socket, which `meridianctl` uses."}, control::server_keys(),
        [](auto& config) -> auto& { return config.control; });
  visit(Section{"http", "The read-only HTTP server: the live page, metrics and health probes."},
        http::server_keys(), [](auto& config) -> auto& { return config.http; });
  visit(Section{"state", "What is kept across a restart."}, state_keys(), whole);
  visit(Section{"satellites", "What is tracked about satellites and their channels."},
        satellite_keys(), whole);
  visit(Section{"log", "What is logged, how, and where."}, log_keys(), whole);
  visit(Section{"", "Keys that are in no section."}, plain_keys(), whole);
}

}  // namespace meridian::daemon
