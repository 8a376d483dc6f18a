#include "runtime/accept_loop.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>

#include <cstddef>
#include <exception>
#include <stdexcept>
#include <vector>

namespace meridian::test {

using namespace runtime;

namespace {

using boost::asio::ip::tcp;

TEST(AcceptLoop, GoesOnIfAConnectionCannotBeServed) {
  boost::asio::io_context context;
  tcp::acceptor acceptor(context, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  const auto faults = [] {
    return Faults::of_process().counts().at(static_cast<std::size_t>(FaultOf::http));
  };
  const std::uint64_t before = faults();
  int taken_up = 0;
  boost::asio::co_spawn(
      context,
      accept_all(
          acceptor, [&context] { return context.get_executor(); }, FaultOf::http, "a test",
          [&](const tcp::socket& socket) {
            if (++taken_up < 3) {
              throw std::bad_alloc();
            }
            EXPECT_TRUE(socket.is_open());
            acceptor.close();
          }),
      [](const std::exception_ptr& error) { EXPECT_EQ(error, nullptr); });
  std::vector<tcp::socket> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back(context).connect(acceptor.local_endpoint());
  }
  context.run();
  EXPECT_EQ(taken_up, 3);
  EXPECT_EQ(faults(), before + 2);
}

}  // namespace
}  // namespace meridian::test
