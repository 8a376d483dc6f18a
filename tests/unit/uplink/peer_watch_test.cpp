#include "uplink/peer_watch.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace meridian::test {

using namespace uplink;

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

class PeerWatch : public testing::Test {
 protected:
  PeerWatch() { socket_.open(tcp::v4()); }

  int option(int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    EXPECT_EQ(::getsockopt(socket_.native_handle(), level, name, &value, &size), 0);
    return value;
  }

  asio::io_context context_;
  tcp::socket socket_{context_};
};

TEST_F(PeerWatch, MakesTheKernelProbeAndGiveUp) {
  for (const int timeout_s : {1, 2, 60, 32'767}) {
    watch_peer(socket_, std::chrono::seconds(timeout_s));
    EXPECT_NE(option(SOL_SOCKET, SO_KEEPALIVE), 0);
    EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), timeout_s * 1000);
    const int idle_s = option(IPPROTO_TCP, TCP_KEEPIDLE);
    const int interval_s = option(IPPROTO_TCP, TCP_KEEPINTVL);
    EXPECT_GE(idle_s, 1);
    EXPECT_LE(idle_s, timeout_s) << "asks too late";
    EXPECT_GE(interval_s, 1);
    EXPECT_LE(interval_s, std::max(1, timeout_s / 4)) << "notices too late";
  }
}

TEST_F(PeerWatch, LeavesItToTheSystemWithoutATimeout) {
  watch_peer(socket_, std::chrono::seconds(60));
  watch_peer(socket_, std::chrono::seconds(0));
  EXPECT_NE(option(SOL_SOCKET, SO_KEEPALIVE), 0);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 7200);
}

TEST_F(PeerWatch, AcceptsAClosedSocket) {
  socket_.close();
  EXPECT_NO_THROW(watch_peer(socket_, std::chrono::seconds(60)));
}

}  // namespace
}  // namespace meridian::test
