/// User and password in the URL of a server.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace meridian::nats {

struct UserInfo {
  std::string user;  ///< a token if there is no password
  std::optional<std::string> password;

  friend bool operator==(const UserInfo&, const UserInfo&) = default;
};

/// Reads "user:p%40ss" or "token". Characters with a meaning in a URL are written as "%" and two
/// hexadecimal digits, "%" itself as "%25". Returns nothing if "%" is followed by anything else, or
/// if it encodes a zero octet.
[[nodiscard]] std::optional<UserInfo> read_user_info(std::string_view text);

/// Escapes a text for use between quotes in JSON. For the NATS client library, which puts user and
/// password between such quotes as they are.
[[nodiscard]] std::string escape_for_json(std::string_view text);

}  // namespace meridian::nats
