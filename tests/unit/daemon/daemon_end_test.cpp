// A daemon in which something throws while others wait: the logger, wherever it is called.
#include "daemon/daemon.hpp"
#include "daemon/read_config.hpp"
#include "integration/harness/deadlines.hpp"
#include "integration/harness/temp_dir.hpp"
#include "runtime/faults.hpp"
#include "state/state_directory.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <unistd.h>

namespace meridian::test {

using namespace daemon;

namespace {

using boost::asio::ip::tcp;

/// spdlog lets through what is not a std::exception.
struct Broken {};

/// Breaks whoever logs what has `text` in it.
class BreakingSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit BreakingSink(std::string_view text) : text_(text) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::string_view logged(message.payload.data(), message.payload.size());
    if (logged.find(text_) != std::string_view::npos) {
      throw Broken();
    }
  }
  void flush_() override {}

 private:
  const std::string_view text_;
};

class BrokenDaemon : public testing::Test {
 protected:
  /// Runs a daemon with a small buffer, in which whoever logs `text` breaks.
  void start(std::string_view text, std::string_view when_full) {
    spdlog::set_default_logger(
        std::make_shared<spdlog::logger>("breaking", std::make_shared<BreakingSink>(text)));
    daemon_ = std::make_unique<Daemon>(parse_config(fmt::format(
        R"({{"uplinks": [{{"name": "native", "listen": "127.0.0.1:{}"}}],
            "channel": {{"capacity": 1}}, "state": {{"directory": "{}"}},
            "buffer": {{"max_frames": 5, "when_full": "{}"}},
            "control": {{"socket": "{}"}}, "threads": 3}})",
        port_, state(), when_full, directory_.file("control.sock"))));
    ended_ = std::async(std::launch::async, [this] { return daemon_->run(); });
  }
  void TearDown() override {
    daemon_.reset();  // what it may not touch any more, the sanitizers know
    spdlog::set_default_logger(before_);
  }

  /// What a daemon that has ended has left for the next one, which is its lock, too.
  [[nodiscard]] std::optional<state::Restored> saved() {
    daemon_.reset();
    return state::StateDirectory(state()).read();
  }

  tcp::socket connect() {
    tcp::socket uplink(context_);
    uplink.connect(tcp::endpoint(boost::asio::ip::address_v4::loopback(), port_));
    return uplink;
  }
  static void send_frames(tcp::socket& uplink, int count) {
    constexpr std::array<std::uint8_t, 20> frame{0, 0, 0, 16, 0, 0, 0, 1};
    for (int i = 0; i < count; ++i) {
      boost::asio::write(uplink, boost::asio::buffer(frame));
    }
  }

  /// Some wait for their sockets, some for a turn, some for room in the channel.
  std::vector<tcp::socket> connect_many() {
    std::vector<tcp::socket> uplinks;
    for (int i = 0; i < 12; ++i) {
      send_frames(uplinks.emplace_back(connect()), i % 3 == 0 ? 0 : 9);
    }
    return uplinks;
  }

  static std::uint64_t faults() {
    return runtime::Faults::of_process().counts().at(
        static_cast<std::size_t>(runtime::FaultOf::uplink));
  }

  boost::asio::io_context context_;
  std::unique_ptr<Daemon> daemon_;
  std::future<int> ended_;

 private:
  [[nodiscard]] std::string state() const { return directory_.file("state"); }

  /// A port that was free a moment ago.
  [[nodiscard]] std::uint16_t free_port() {
    return tcp::acceptor(context_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0))
        .local_endpoint()
        .port();
  }

  const test::TempDir directory_;
  const std::uint16_t port_ = free_port();
  std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
};

TEST_F(BrokenDaemon, GoesOnWithoutASessionThatBreaks) {
  start(" closed: ", "backpressure");
  const std::uint64_t before = faults();
  const std::vector<tcp::socket> others = connect_many();
  tcp::socket breaks = connect();
  breaks.shutdown(tcp::socket::shutdown_send);
  EXPECT_TRUE(test::eventually([&] { return faults() == before + 1; }));
  EXPECT_NO_THROW(std::ignore = connect());
  ASSERT_EQ(::kill(::getpid(), SIGTERM), 0);
  EXPECT_EQ(ended_.get(), 0) << "an orderly stop, after each session has ended with a fault";
}

TEST_F(BrokenDaemon, SavesTheBufferAndExitsWithOne) {
  start("dropped ", "drop_oldest");  // what the housekeeping logs
  const std::vector<tcp::socket> others = connect_many();
  EXPECT_EQ(ended_.get(), 1);
  const auto left = saved();
  ASSERT_TRUE(left.has_value());
  EXPECT_TRUE(left->is_whole);
  EXPECT_EQ(left->frames, 5U);
}

TEST_F(BrokenDaemon, SavesTheBufferAlsoWhereItsStopBreaks) {
  start("stopping on ", "drop_oldest");
  const std::vector<tcp::socket> others = connect_many();
  ASSERT_EQ(::kill(::getpid(), SIGTERM), 0);
  EXPECT_EQ(ended_.get(), 1);
  EXPECT_TRUE(saved().has_value());
}

}  // namespace
}  // namespace meridian::test
