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

/// Nothing if the scheme is not "nats" or "tls", there is no host, the port is not within 1 to
/// 65535, user and password cannot be read, or the text has blanks, control characters or a path.
/// The default port is 4222.
[[nodiscard]] std::optional<ServerUrl> read_server_url(std::string_view text);

}  // namespace meridian::nats
