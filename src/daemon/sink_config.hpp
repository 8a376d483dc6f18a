/// The part of the configuration that is about sinks.
#pragma once

#include "daemon/config_reader.hpp"
#include "sink/options.hpp"

#include <vector>

namespace meridian::daemon {

/// Reads the list under "sinks". Throws ConfigError.
[[nodiscard]] std::vector<sink::Options> read_sinks(const ConfigReader& root,
                                                    const ConfigReader::Json& json);

}  // namespace meridian::daemon
