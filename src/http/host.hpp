/// Decides whether a request is meant for this server.
#pragma once

#include <boost/asio/ip/address.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace meridian::http {

enum class HostVerdict : std::uint8_t {
  ours,
  malformed,
  other,  ///< a name that is not ours: a page of another site may be asking
};

/// Judges a Host header, or the authority of an absolute URL. A page in a browser may send requests
/// to any server that the page's own host name resolves to. The owner of that name can make it
/// resolve to this server (DNS rebinding). So the server accepts only the address that the client
/// connected to, loopback addresses, "localhost", and the configured names. The port is ignored,
/// since a forwarder may change it.
[[nodiscard]] HostVerdict judge_host(std::string_view host, const boost::asio::ip::address& local,
                                     std::span<const std::string> names);

}  // namespace meridian::http
