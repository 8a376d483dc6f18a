#include "nats/server_url.hpp"

#include "runtime/host_port.hpp"

#include <algorithm>
#include <utility>

namespace meridian::nats {

namespace {

constexpr std::string_view default_port = ":4222";

}  // namespace

std::optional<ServerUrl> read_server_url(std::string_view text) {
  const std::size_t colon = text.find("://");
  const std::string_view scheme = text.substr(0, colon);
  if (colon == std::string_view::npos || (scheme != "nats" && scheme != "tls")) {
    return std::nullopt;
  }
  std::string_view address = text.substr(colon + 3);
  // A password can contain an @; a host cannot.
  const std::size_t at = address.rfind('@');
  std::optional<UserInfo> user_info;
  if (at != std::string_view::npos) {
    user_info = read_user_info(address.substr(0, at));
    if (!user_info) {
      return std::nullopt;
    }
    address.remove_prefix(at + 1);
  }
  std::string with_port(address);
  const std::size_t last_colon = address.rfind(':');
  if (last_colon == std::string_view::npos || address.ends_with(']')) {
    with_port += default_port;
  }
  const auto parsed = runtime::read_host_port(with_port);
  const bool blank = std::ranges::any_of(
      text, [](char octet) { return static_cast<unsigned char>(octet) <= 0x20 || octet == 0x7F; });
  if (!parsed || parsed->port == 0 || blank || address.find('/') != std::string_view::npos) {
    return std::nullopt;
  }
  return ServerUrl{.shown = std::string(scheme) + "://" + with_port,
                   .user_info = std::move(user_info),
                   .host = parsed->host,
                   .tls = scheme == "tls"};
}

}  // namespace meridian::nats
