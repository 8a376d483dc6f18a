#include "control/client.hpp"

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
#include <tuple>

namespace meridian::control {
namespace {

using boost::asio::local::stream_protocol;

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
  testing::TempDir directory_;
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
  EXPECT_THAT([&] { std::ignore = client.call("depth").dump(); },
              ::testing::ThrowsMessage<std::runtime_error>(
                  ::testing::HasSubstr("the answer is not JSON-RPC")));
}

}  // namespace
}  // namespace meridian::control
