/// File descriptors that uplinks must leave free for everything else.
#pragma once

#include "daemon/config.hpp"

namespace meridian::daemon {

/// Reserves descriptors for as many clients as there may be, and for files, sinks and other things
/// that are opened at times. To be called again with each new configuration.
void keep_descriptors_for_operators(const Config& config);

}  // namespace meridian::daemon
