/// What can be configured about a sink.
#pragma once

#include "config/key.hpp"
#include "sink/options.hpp"

#include <cstddef>
#include <vector>

namespace meridian::sink {

[[nodiscard]] config::Keys<Options> sink_keys();
[[nodiscard]] config::Keys<nats::Tls> tls_keys();

/// The longest list of sinks.
inline constexpr std::size_t most_sinks = 16;

/// A sink of which nothing is said, at a place in the list that counts from 0. Lacks servers and a
/// stream.
[[nodiscard]] Options default_sink(std::size_t index);

/// Reads the list under "sinks". Throws config::Error.
[[nodiscard]] std::vector<Options> read_sinks(const config::Reader& root, const config::Json& json);

}  // namespace meridian::sink
