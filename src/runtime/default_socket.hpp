/// Where the control socket is by default.
#pragma once

#include <string>

namespace meridian::runtime {

/// The control socket of the system service.
inline constexpr const char* socket_of_the_service = "/run/meridian/control.sock";

/// $XDG_RUNTIME_DIR/meridian/control.sock for an ordinary user, if that variable is set. Otherwise
/// the socket of the service.
[[nodiscard]] std::string default_socket();

}  // namespace meridian::runtime
