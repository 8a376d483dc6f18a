/// What can be configured about a listener.
#pragma once

#include "config/key.hpp"
#include "uplink/options.hpp"

#include <vector>

namespace meridian::uplink {

[[nodiscard]] config::Keys<ListenerOptions> listener_keys();

/// Bounds of the list of listeners.
inline constexpr std::size_t most_listeners = 64;

/// A listener of which nothing is said, at a place in the list that counts from 0.
[[nodiscard]] ListenerOptions default_listener(std::size_t index);

/// Reads the list under "uplinks". Throws config::Error.
[[nodiscard]] std::vector<ListenerOptions> read_listeners(const config::Reader& root,
                                                          const config::Json& json);

}  // namespace meridian::uplink
