#include "daemon/heartbeat.hpp"

#include "integration/harness/temp_dir.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/datagram_protocol.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <future>
#include <string>

namespace meridian::test {

using namespace daemon;

namespace {

using boost::asio::local::datagram_protocol;
using testing::HasSubstr;
using namespace std::chrono_literals;

/// Listens where the service manager would.
class HeartbeatTest : public testing::Test {
 protected:
  void SetUp() override {
    ::setenv("NOTIFY_SOCKET", path_.c_str(), 1);
    ::setenv("WATCHDOG_USEC", "30000", 1);
    socket_.non_blocking(true);
  }
  void TearDown() override {
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_USEC");
  }

  /// What came since the last call.
  std::vector<std::string> received() {
    std::vector<std::string> messages;
    for (;;) {
      std::array<char, 4096> room{};
      boost::system::error_code ec;
      const std::size_t bytes = socket_.receive(boost::asio::buffer(room), 0, ec);
      if (ec) {
        return messages;
      }
      messages.emplace_back(room.data(), bytes);
    }
  }

  test::TempDir directory_;
  std::string path_ = directory_.file("notify");
  asio::io_context context_;
  asio::any_io_executor strand_ = asio::make_strand(context_);
  datagram_protocol::socket socket_{context_, datagram_protocol::endpoint(path_)};
};

TEST_F(HeartbeatTest, PingsTheWatchdogAndReportsHeldUplinks) {
  const AggregatorHandle aggregator = spawn_aggregator(context_.get_executor(), {});
  const status::UplinkTable uplinks;
  status::Pulse pulse;
  service::Notifier notifier(strand_);
  Heartbeat heartbeat(strand_, notifier);
  auto ended = asio::co_spawn(strand_, heartbeat.run(aggregator, uplinks, pulse), asio::use_future);
  std::vector<std::string> messages;
  while (messages.size() < 5) {
    context_.run_one();
    for (std::string& message : received()) {
      messages.push_back(std::move(message));
    }
  }
  for (const std::string& message : messages) {
    EXPECT_EQ(message, "WATCHDOG=1\nSTATUS=0 uplinks, 0 frames (0 bytes) in the buffer");
  }
  heartbeat.stop();
  context_.run_for(1s);
  EXPECT_EQ(ended.wait_for(0s), std::future_status::ready);
}

TEST_F(HeartbeatTest, StopsWhereTheAggregatorsStrandNoLongerTurns) {
  asio::io_context stuck;  // nobody runs it
  const AggregatorHandle aggregator = spawn_aggregator(stuck.get_executor(), {});
  const status::UplinkTable uplinks;
  status::Pulse pulse;
  service::Notifier notifier(strand_);
  Heartbeat heartbeat(strand_, notifier);
  auto ended = asio::co_spawn(strand_, heartbeat.run(aggregator, uplinks, pulse), asio::use_future);
  // Many times what the watchdog waits; the context itself has nothing that keeps it from beating.
  context_.run_for(300ms);
  EXPECT_THAT(received(), testing::IsEmpty());

  stuck.run_for(1ms);
  context_.run_for(30ms);
  EXPECT_THAT(received(), testing::Contains(HasSubstr("WATCHDOG=1"))) << "and goes on with it";
  heartbeat.stop();
  stuck.run_for(1ms);
  context_.run_for(1s);
}

}  // namespace
}  // namespace meridian::test
