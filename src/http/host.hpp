/// Whom a request is meant for.
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
  other,  ///< a name that leads here and is none of ours: a page of another site asks
};

/// Judges a Host, or the authority of a whole address. A page in a browser may ask any server that
/// its own name leads to, and change where that is (DNS rebinding): so a server is known by the
/// address that the connection was made to, by those of loopback, as "localhost", and by the names
/// of its configuration. The port is not looked at: what forwards connections may change it.
[[nodiscard]] HostVerdict judge_host(std::string_view host, const boost::asio::ip::address& local,
                                     std::span<const std::string> names);

}  // namespace meridian::http
