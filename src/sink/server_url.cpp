#include "sink/server_url.hpp"

#include "runtime/host_port.hpp"

#include <algorithm>

namespace meridian::sink {

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
  // A password may have an @ in it, a host cannot.
  const std::size_t at = address.rfind('@');
  if (at != std::string_view::npos) {
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
  return ServerUrl{.text = std::string(text),
                   .shown = std::string(scheme) + "://" + with_port,
                   .host = parsed->host,
                   .tls = scheme == "tls"};
}

}  // namespace meridian::sink
