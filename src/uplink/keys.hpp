/// What can be configured about a listener.
#pragma once

#include "config/key.hpp"
#include "uplink/options.hpp"

#include <vector>

namespace meridian::uplink {

[[nodiscard]] config::Keys<ListenerOptions> listener_keys();

/// How many listeners the list may have. It must have at least one.
inline constexpr std::size_t most_listeners = 64;

/// The options of a listener whose entry sets no key. Its name has `index`, the entry's place in
/// the list, counted from 0.
[[nodiscard]] ListenerOptions default_listener(std::size_t index);

/// Reads the list under "uplinks". Throws config::Error.
[[nodiscard]] std::vector<ListenerOptions> read_listeners(const config::Reader& root,
                                                          const config::Json& json);

}  // namespace meridian::uplink
