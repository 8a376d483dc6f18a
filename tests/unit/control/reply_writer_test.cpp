#include "control/reply_writer.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <future>
#include <memory>
#include <string>

namespace meridian::test {

using namespace control;

namespace {

using namespace std::chrono_literals;

/// A writer on one end of a pair of sockets, and a reader on the other.
class ReplyWriterTest : public testing::Test {
 protected:
  ReplyWriterTest() { asio::local::connect_pair(written_, read_); }

  void run() {
    result_ = asio::co_spawn(context_, writer_->write(text_), asio::use_future);
    context_.run();
  }

  /// Reads so little each time that the writer's patience ends before it can write on: only what is
  /// unread shrinks meanwhile.
  void read_slowly() {
    pause_.expires_after(patience * 6 / 10);
    pause_.async_wait([this](const error_code&) {
      error_code ec;
      received_ += read_.read_some(asio::buffer(piece_), ec);
      if (!ec && received_ < text_.size()) {
        read_slowly();
      }
    });
  }

  static constexpr std::chrono::milliseconds patience = 100ms;

  asio::io_context context_;
  asio::local::stream_protocol::socket written_{context_};
  asio::local::stream_protocol::socket read_{context_};
  asio::steady_timer pause_{context_};
  std::array<char, 40 * 1024> piece_{};
  std::size_t received_ = 0;
  std::string text_ = std::string(512 * 1024, 'x');
  int stalled_ = 0;
  std::shared_ptr<ReplyWriter> writer_ = std::make_shared<ReplyWriter>(
      written_,
      [this] {
        ++stalled_;
        written_.close();
      },
      patience);
  std::future<error_code> result_;
};

TEST_F(ReplyWriterTest, GivesUpAReaderThatReadsNothing) {
  run();
  EXPECT_EQ(stalled_, 1);
  EXPECT_TRUE(result_.get().failed());
}

TEST_F(ReplyWriterTest, WaitsIndefinitelyForASlowReader) {
  const auto begun = std::chrono::steady_clock::now();
  read_slowly();
  run();
  EXPECT_EQ(stalled_, 0);
  EXPECT_FALSE(result_.get().failed());
  EXPECT_EQ(received_, text_.size());
  EXPECT_GT(std::chrono::steady_clock::now() - begun, 3 * patience) << "was no slow reader";
}

}  // namespace
}  // namespace meridian::test
