/// What can be configured about the control socket.
#pragma once

#include "control/socket_file.hpp"

#include <chrono>
#include <cstddef>
#include <string>

namespace meridian::control {

struct ServerOptions {
  std::string socket;
  Access access;
  std::size_t max_clients = 64;
  std::size_t max_request_bytes = 65536;
  std::chrono::seconds idle_timeout{60};  ///< 0: none
};

}  // namespace meridian::control
