/// What can be configured about the HTTP server.
#pragma once

#include "config/key.hpp"
#include "http/options.hpp"

namespace meridian::http {

[[nodiscard]] config::Keys<ServerOptions> server_keys();

}  // namespace meridian::http
