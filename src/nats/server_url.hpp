/// "nats://user:password@host:port", as people write it.
#pragma once

#include "nats/user_info.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace meridian::nats {

struct ServerUrl {
  std::string shown;  ///< as it was written, without user and password, with the port
  std::optional<UserInfo> user_info;
  std::string host;  ///< a name or an address, without brackets
  bool tls = false;  ///< the scheme asks for it
};

/// Reads a URL. The default port is 4222. Returns nothing if the scheme is not "nats" or "tls", if
/// there is no host, if the port is not from 1 to 65535, if user and password cannot be read, or if
/// the text has blanks, control characters or a path.
[[nodiscard]] std::optional<ServerUrl> read_server_url(std::string_view text);

}  // namespace meridian::nats
