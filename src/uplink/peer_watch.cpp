#include "uplink/peer_watch.hpp"

#include <boost/asio/socket_base.hpp>

#include <algorithm>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace meridian::uplink {

namespace {

/// When the kernel probes, and when it gives up.
struct Probes {
  int idle_s;
  int interval_s;
  int user_timeout_ms;  // 0: the kernel gives up after nine probes without an answer
};

Probes probes_for(std::chrono::seconds timeout) {
  if (timeout.count() == 0) {
    return {.idle_s = 7200, .interval_s = 75, .user_timeout_ms = 0};
  }
  // The first probe is early enough for several probes before the timeout. The kernel gives up at
  // the first probe after the timeout.
  const auto timeout_s = static_cast<int>(timeout.count());
  return {.idle_s = std::max(1, timeout_s / 2),
          .interval_s = std::max(1, timeout_s / 8),
          .user_timeout_ms = timeout_s * 1000};
}

}  // namespace

void watch_peer(boost::asio::ip::tcp::socket& socket, std::chrono::seconds timeout) {
  const Probes probes = probes_for(timeout);
  const auto set = [&socket](int option, int value) {
    // Errors are ignored: without an option the kernel still notices a dead peer, only later.
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, option, &value, sizeof value);
  };
  boost::system::error_code ignored;
  set(TCP_KEEPIDLE, probes.idle_s);
  set(TCP_KEEPINTVL, probes.interval_s);
  set(TCP_USER_TIMEOUT, probes.user_timeout_ms);
  socket.set_option(boost::asio::socket_base::keep_alive(true), ignored);
}

}  // namespace meridian::uplink
