/// Where the control socket is unless somebody says otherwise.
#pragma once

#include <string>

namespace meridian::control {

/// Where that of the system's service is.
inline constexpr const char* socket_of_the_service = "/run/meridian/control.sock";

/// /run/meridian/control.sock for root; below $XDG_RUNTIME_DIR for an ordinary user who has one.
[[nodiscard]] std::string default_socket();

}  // namespace meridian::control
