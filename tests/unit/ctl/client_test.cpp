#include "ctl/client.hpp"

#include "integration/harness/temp_dir.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>

namespace meridian::test {

using namespace ctl;

namespace {

namespace asio = boost::asio;
using asio::local::stream_protocol;

/// Accepts connections one by one, and answers requests with numbers.
class NumberingServer {
 public:
  explicit NumberingServer(const std::string& path) : acceptor_(context_, path) {}

  [[nodiscard]] stream_protocol::socket accept() { return acceptor_.accept(); }

  void answer(stream_protocol::socket& client) {
    std::string request;
    asio::read_until(client, asio::dynamic_buffer(request), '\n');
    asio::write(client, asio::buffer("{\"id\":1,\"result\":" + std::to_string(++answers_) + "}\n"));
  }

 private:
  asio::io_context context_;
  stream_protocol::acceptor acceptor_;
  int answers_ = 0;
};

class ClientTest : public testing::Test {
 protected:
  const test::TempDir directory_;
  const std::string path_ = directory_.file("control.sock");
  NumberingServer server_{path_};
};

TEST_F(ClientTest, ReconnectsAfterAnIdleTimeout) {
  std::promise<void> closed;
  std::thread serving([this, &closed] {
    {
      stream_protocol::socket first = server_.accept();
      server_.answer(first);
      asio::write(first, asio::buffer(std::string("{\"error\":{\"code\":-32006}}\n")));
    }
    closed.set_value();
    stream_protocol::socket second = server_.accept();
    server_.answer(second);
    server_.answer(second);
  });
  Client client(path_);
  EXPECT_EQ(client.call("depth"), 1);
  closed.get_future().wait();
  EXPECT_EQ(client.call("depth"), 2);
  EXPECT_EQ(client.call("depth"), 3) << "on the same connection";
  serving.join();
}

TEST_F(ClientTest, IsToldWhyItWasRefusedAtOnce) {
  std::thread serving([this] {
    stream_protocol::socket first = server_.accept();
    asio::write(
        first,
        asio::buffer(std::string("{\"error\":{\"code\":-32001,\"message\":\"too many\"}}\n")));
  });
  Client client(path_);
  serving.join();
  EXPECT_THROW(std::ignore = client.call("depth"), RequestFailed);
}

/// Answers the one request of one client with a line.
class AnswersOnce {
 public:
  explicit AnswersOnce(std::string line)
      : served_(std::async(std::launch::async, [this, line = std::move(line)] {
          stream_protocol::socket client = acceptor_.accept();
          std::string request;
          boost::asio::read_until(client, boost::asio::dynamic_buffer(request), '\n');
          boost::system::error_code gone;  // a client may end before it has read all of it
          boost::asio::write(client, boost::asio::buffer(line + "\n"), gone);
        })) {}

  [[nodiscard]] std::string path() const { return path_; }

 private:
  test::TempDir directory_;
  std::string path_ = directory_.file("control.sock");
  boost::asio::io_context context_;
  stream_protocol::acceptor acceptor_{context_, stream_protocol::endpoint(path_)};
  std::future<void> served_;  // last: waited for before the others go
};

TEST(ControlClientAnswer, NestedDeeplyIsRefusedAndNotTakenUp) {
  constexpr std::size_t levels = 500'000;
  const AnswersOnce daemon(R"({"jsonrpc":"2.0","id":1,"result":)" + std::string(levels, '[') +
                           std::string(levels, ']') + "}");
  Client client(daemon.path());
  EXPECT_THAT(
      [&] { std::ignore = client.call("depth").dump(); },
      testing::ThrowsMessage<std::runtime_error>(testing::HasSubstr("the answer is not JSON-RPC")));
}

}  // namespace
}  // namespace meridian::test
