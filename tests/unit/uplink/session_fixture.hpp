/// A session between a real socket and a real aggregator, on one thread that runs when a test
/// waits.
#pragma once

#include "unit/aggregator/aggregator_calls.hpp"
#include "unit/frame/frame_samples.hpp"
#include "unit/frame/stream_driver.hpp"
#include "uplink/session.hpp"
#include "uplink/turns.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <iterator>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace meridian::test {

/// What is logged while it lives.
class LogCapture {
 public:
  LogCapture() {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_st>(text_);
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("captured", std::move(sink)));
  }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;
  ~LogCapture() { spdlog::set_default_logger(before_); }

  [[nodiscard]] std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
};

class SessionTest : public testing::Test {
 protected:
  void TearDown() override {
    if (session_) {
      session_->stop();
      EXPECT_TRUE(eventually([this] { return !ended_.valid() || is_ready(ended_); }));
    }
  }

  void start(const uplink::ListenerOptions& options, const AggregatorOptions& aggregator = {}) {
    aggregator_.emplace(spawn_aggregator(context_.get_executor(), aggregator));
    asio::ip::tcp::acceptor acceptor(context_,
                                     asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    client_.connect(acceptor.local_endpoint());
    record_ = table_.open("native", "the peer", ReceiveTime{});
    session_ = std::make_shared<uplink::Session>(
        acceptor.accept(), std::make_shared<const uplink::ListenerOptions>(options), *turns_,
        *aggregator_, table_, record_);
    ended_ = asio::co_spawn(context_, session_->run(), asio::use_future);
  }

  /// Runs until `holds()`, or until it is clear that it will not.
  template <typename Condition>
  [[nodiscard]] bool eventually(const Condition& holds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!holds()) {
      context_.restart();
      if (context_.run_one_until(deadline) == 0) {
        return false;
      }
    }
    return true;
  }

  void send(const Octets& octets) {
    std::future<std::size_t> sent =
        asio::async_write(client_, asio::buffer(octets), asio::use_future);
    ASSERT_TRUE(eventually([&] { return is_ready(sent); }));
    EXPECT_EQ(sent.get(), octets.size());
  }
  /// Sends, and waits until the session has read as much.
  void send_and_be_read(const Octets& octets) {
    const std::uint64_t before = record_->bytes();
    send(octets);
    ASSERT_TRUE(eventually([&] { return record_->bytes() == before + octets.size(); }));
    poll(context_);
  }
  void half_close() { client_.shutdown(asio::ip::tcp::socket::shutdown_send); }

  void expect_end(status::CloseReason reason) {
    ASSERT_TRUE(eventually([this] { return is_ready(ended_); })) << "the session goes on";
    ended_.get();
    const auto snapshot = table_.snapshot();
    EXPECT_TRUE(snapshot.open.empty());
    ASSERT_EQ(snapshot.closed.size(), 1U);
    EXPECT_EQ(snapshot.closed[0].record, record_);
    EXPECT_EQ(name_of(snapshot.closed[0].reason), name_of(reason));
  }

  [[nodiscard]] Drained drain() {
    return call_now(context_, aggregator_->drain({.max_frames = all_frames})).value();
  }
  [[nodiscard]] std::vector<SeenFrame> drain_frames() {
    std::vector<SeenFrame> frames;
    for (const BufferedBatch& buffered : drain().batches) {
      std::ranges::move(frames_of(buffered.batch), std::back_inserter(frames));
    }
    return frames;
  }
  [[nodiscard]] Ledger ledger() { return call_now(context_, aggregator_->stats()).value().ledger; }

  LogCapture log_;
  asio::io_context context_;
  status::UplinkTable table_;
  std::shared_ptr<uplink::Turns> turns_ =
      std::make_shared<uplink::Turns>(context_.get_executor(), 1);
  std::optional<AggregatorHandle> aggregator_;
  asio::ip::tcp::socket client_{context_};
  std::shared_ptr<status::UplinkRecord> record_;
  std::shared_ptr<uplink::Session> session_;
  std::future<void> ended_;
};

}  // namespace meridian::test
