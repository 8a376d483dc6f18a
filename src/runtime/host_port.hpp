/// "HOST:PORT", as people write it.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace meridian::runtime {

struct HostPort {
  std::string host;  ///< without brackets
  std::uint16_t port = 0;
  bool bracketed = false;
};

/// Reads "127.0.0.1:7400", "localhost:7400" or "[::1]:7400". Returns nothing if there is no host,
/// no port from 0 to 65535, or an IPv6 address without brackets.
[[nodiscard]] std::optional<HostPort> read_host_port(std::string_view text);

/// Whether `text` is a host as in a URL: a name, or a numeric address (IPv6 in brackets).
[[nodiscard]] bool is_host(std::string_view text);

/// The address of a numeric host (IPv6 in brackets); nothing for any other host.
[[nodiscard]] std::optional<boost::asio::ip::address> host_address(std::string_view host);

/// Writes an endpoint as "HOST:PORT", for messages.
[[nodiscard]] std::string to_text(const boost::asio::ip::tcp::endpoint& endpoint);

}  // namespace meridian::runtime
