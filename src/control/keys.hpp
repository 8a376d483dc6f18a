/// What can be configured about the control socket.
#pragma once

#include "config/key.hpp"
#include "control/options.hpp"

namespace meridian::control {

[[nodiscard]] config::Keys<ServerOptions> server_keys();

}  // namespace meridian::control
