/// Detects peers that vanish without closing the connection.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <chrono>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace meridian::runtime {

/// Makes the system end a connection whose peer acknowledges nothing for about `patience`: neither
/// what is sent nor, while nothing is sent, keep-alive probes. If an option cannot be set, the
/// system's default stays.
inline void notice_lost_peers(boost::asio::ip::tcp::socket& socket, std::chrono::seconds patience) {
  boost::system::error_code ignored;
  socket.set_option(boost::asio::socket_base::keep_alive(true), ignored);
  const auto set = [&socket](int option, long value) {
    const auto number = static_cast<int>(value);
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, option, &number, sizeof number);
  };
  constexpr int probes = 3;
  const long seconds = static_cast<long>(patience.count());
  set(TCP_KEEPIDLE, std::max(1L, seconds / 2));
  set(TCP_KEEPINTVL, std::max(1L, seconds / (2 * probes)));
  set(TCP_KEEPCNT, probes);
  set(TCP_USER_TIMEOUT, seconds * 1000);
}

}  // namespace meridian::runtime
