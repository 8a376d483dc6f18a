/// User and password, as they stand in the URL of a server.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace meridian::runtime {

struct UserInfo {
  std::string user;  ///< a token where there is no password
  std::optional<std::string> password;

  friend bool operator==(const UserInfo&, const UserInfo&) = default;
};

/// "user:p%40ss", or "token". Characters that mean something in a URL are written as "%" and two
/// hexadecimal digits, "%" itself as "%25". Nothing where "%" stands before something else, or for
/// a zero octet.
[[nodiscard]] std::optional<UserInfo> read_user_info(std::string_view text);

/// A text as it stands between quotes in JSON. For the NATS client library, which puts user and
/// password there as they are.
[[nodiscard]] std::string escape_for_json(std::string_view text);

}  // namespace meridian::runtime
