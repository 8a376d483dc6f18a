/// File descriptors that uplinks leave to everybody else.
#pragma once

#include "daemon/config.hpp"

namespace meridian::daemon {

/// Reserves descriptors for as many clients as there may be, and for files, sinks and whatever else
/// is opened at times. To be called again with each new configuration.
void keep_descriptors_for_operators(const Config& config);

}  // namespace meridian::daemon
