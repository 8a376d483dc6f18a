/// "nats://user:password@host:port", as people write it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace meridian::sink {

struct ServerUrl {
  std::string text;   ///< as it was written, with a password if it has one
  std::string shown;  ///< the same without user and password, for messages
  std::string host;   ///< a name or an address, without brackets
  bool tls = false;   ///< the scheme asks for it
};

/// Nothing where the scheme is not "nats" or "tls", there is no host, or the port is none of 1 to
/// 65535. Without a port it is 4222.
[[nodiscard]] std::optional<ServerUrl> read_server_url(std::string_view text);

}  // namespace meridian::sink
