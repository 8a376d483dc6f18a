// A daemon that does not stop in order: something throws while others wait.
#include "daemon/daemon.hpp"
#include "integration/harness/temp_dir.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <exception>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace meridian::daemon {
namespace {

using boost::asio::ip::tcp;

/// Thrown where a session says that it has ended.
struct Broken {};

/// Breaks the first session that ends; spdlog lets through what is not a std::exception.
class BreakingSink final : public spdlog::sinks::base_sink<std::mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::string_view text(message.payload.data(), message.payload.size());
    if (text.find(" closed: ") != std::string_view::npos) {
      throw Broken();
    }
  }
  void flush_() override {}
};

class BrokenDaemon : public ::testing::Test {
 protected:
  void SetUp() override {
    spdlog::set_default_logger(
        std::make_shared<spdlog::logger>("breaking", std::make_shared<BreakingSink>()));
  }
  void TearDown() override { spdlog::set_default_logger(before_); }

  /// A port that was free a moment ago.
  [[nodiscard]] std::uint16_t free_port() {
    return tcp::acceptor(context_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0))
        .local_endpoint()
        .port();
  }

  boost::asio::io_context context_;
  const testing::TempDir directory_;

 private:
  std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
};

TEST_F(BrokenDaemon, ThrowsAndLeavesNothingBehindWhateverWaits) {
  const std::uint16_t port = free_port();
  auto daemon = std::make_unique<Daemon>(parse_config(fmt::format(
      R"({{"uplinks": [{{"name": "native", "listen": "127.0.0.1:{}"}}],
          "channel": {{"capacity": 1}},
          "buffer": {{"max_frames": 1, "when_full": "backpressure"}},
          "control": {{"socket": "{}"}}, "threads": 3}})",
      port, directory_.file("control.sock"))));
  std::future<int> ended = std::async(std::launch::async, [&daemon] { return daemon->run(); });

  // Some wait for their sockets, some for a turn, some for room in the channel.
  std::vector<tcp::socket> uplinks;
  constexpr std::array<std::uint8_t, 20> frame{0, 0, 0, 16, 0, 0, 0, 1};
  for (int i = 0; i < 12; ++i) {
    tcp::socket& uplink = uplinks.emplace_back(context_);
    uplink.connect(tcp::endpoint(boost::asio::ip::address_v4::loopback(), port));
    for (int frames = 0; i % 3 != 0 && frames < 3; ++frames) {
      boost::asio::write(uplink, boost::asio::buffer(frame));
    }
  }
  tcp::socket last(context_);
  last.connect(tcp::endpoint(boost::asio::ip::address_v4::loopback(), port));
  uplinks.front().close();
  EXPECT_THROW(ended.get(), Broken);
  daemon.reset();  // what it may not touch any more, the sanitizers know
}

}  // namespace
}  // namespace meridian::daemon
