/// What can be configured about a sink.
#pragma once

#include "config/key.hpp"
#include "sink/options.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::sink {

/// The keys of every sink, followed by those of each type.
[[nodiscard]] config::Keys<Options> sink_keys();

/// The longest list of sinks.
inline constexpr std::size_t most_sinks = 16;

/// A sink of which nothing is said, at a place in the list that counts from 0. Lacks what its type
/// requires.
[[nodiscard]] Options default_sink(std::size_t index);

/// Reads the list under "sinks". Throws config::Error.
[[nodiscard]] std::vector<Options> read_sinks(const config::Reader& root, const config::Json& json);

/// Reads a name that may be part of message ids and metrics. `what` begins the description of it in
/// the error, and may be "". Throws config::Error.
void read_name(config::Reader& reader, const config::KeyFacts& facts, std::string_view what,
               std::string& name);

}  // namespace meridian::sink
