/// Where the control socket is by default.
#pragma once

#include <string>

namespace meridian::runtime {

/// The control socket of the system service.
inline constexpr const char* socket_of_the_service = "/run/meridian/control.sock";

/// Below $XDG_RUNTIME_DIR for an ordinary user for whom it is set; otherwise
/// /run/meridian/control.sock.
[[nodiscard]] std::string default_socket();

}  // namespace meridian::runtime
