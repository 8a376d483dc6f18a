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

/// How many sinks the list may have.
inline constexpr std::size_t most_sinks = 16;

/// The options of a sink whose entry sets no key. Its name has `index`, the entry's place in the
/// list, counted from 0. Keys that its type requires have no value yet.
[[nodiscard]] Options default_sink(std::size_t index);

/// Reads the list under "sinks". Throws config::Error.
[[nodiscard]] std::vector<Options> read_sinks(const config::Reader& root, const config::Json& json);

/// Reads a name that may be part of message ids and metrics. In the error, `what` precedes the
/// description of a valid name; it may be "". Throws config::Error.
void read_name(config::Reader& reader, const config::KeyFacts& facts, std::string_view what,
               std::string& name);

}  // namespace meridian::sink
