#include "control/line_reader.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <future>
#include <optional>
#include <string>
#include <string_view>

namespace meridian::test {

using namespace control;

namespace {

using testing::Optional;

/// A reader on one end of a pair of sockets, and a client on the other.
class LineReaderTest : public testing::Test {
 protected:
  LineReaderTest() { asio::local::connect_pair(socket_, client_); }

  void send(std::string_view text) { asio::write(client_, asio::buffer(text)); }
  void end() { client_.shutdown(asio::local::stream_protocol::socket::shutdown_send); }

  std::optional<std::string> next() {
    auto line = asio::co_spawn(context_, lines_.next(), asio::use_future);
    context_.restart();
    context_.run();
    return line.get();
  }

  /// Begins with the next line, and reads what is there already.
  std::future<std::optional<std::string>> start() {
    auto line = asio::co_spawn(context_, lines_.next(), asio::use_future);
    while (socket_.available() > 0) {
      context_.run_one();
    }
    context_.poll();
    return line;
  }

  asio::io_context context_;
  asio::local::stream_protocol::socket socket_{context_};
  asio::local::stream_protocol::socket client_{context_};
  std::atomic<std::size_t> max_bytes_{8};
  LineReader lines_{socket_, max_bytes_};
};

TEST_F(LineReaderTest, CutsWhatComesTogether) {
  send("depth\n\nstats\n");
  EXPECT_THAT(next(), Optional(std::string("depth")));
  EXPECT_THAT(next(), Optional(std::string()));
  EXPECT_THAT(next(), Optional(std::string("stats")));
}

TEST_F(LineReaderTest, JoinsWhatComesInParts) {
  max_bytes_ = 10'000;
  const std::string beginning(6'000, 'a');
  const std::string rest(3'000, 'b');
  send(beginning);
  auto line = start();
  send(rest + "\n");
  context_.run();
  EXPECT_THAT(line.get(), Optional(beginning + rest));
}

TEST_F(LineReaderTest, LastLineMayLackItsEnd) {
  send("depth\nstats");
  end();
  EXPECT_THAT(next(), Optional(std::string("depth")));
  EXPECT_THAT(next(), Optional(std::string("stats")));
  EXPECT_EQ(next(), std::nullopt);
  EXPECT_FALSE(lines_.line_too_long());
}

TEST_F(LineReaderTest, LongestLineIsReturned) {
  send("12345678\n");
  EXPECT_THAT(next(), Optional(std::string("12345678")));
}

TEST_F(LineReaderTest, OneOctetMoreIsTooLong) {
  send("depth\n123456789\n");
  EXPECT_THAT(next(), Optional(std::string("depth")));
  EXPECT_EQ(next(), std::nullopt);
  EXPECT_TRUE(lines_.line_too_long());
}

TEST_F(LineReaderTest, OverlongLineIsRefusedBeforeItEnds) {
  send("123456789");
  EXPECT_EQ(next(), std::nullopt);
  EXPECT_TRUE(lines_.line_too_long());
}

TEST_F(LineReaderTest, OverlongLastLineIsRefusedToo) {
  send("123456789");
  end();
  EXPECT_EQ(next(), std::nullopt);
  EXPECT_TRUE(lines_.line_too_long());
}

TEST_F(LineReaderTest, GreatestLengthMayChange) {
  send("depth\n");
  EXPECT_THAT(next(), Optional(std::string("depth")));
  max_bytes_ = 4;
  send("stats\n");
  EXPECT_EQ(next(), std::nullopt);
  EXPECT_TRUE(lines_.line_too_long());
}

TEST_F(LineReaderTest, LineThatIsCutOffIsNone) {
  send("dep");
  auto line = start();
  socket_.cancel();
  context_.run();
  EXPECT_EQ(line.get(), std::nullopt);
  EXPECT_FALSE(lines_.line_too_long());
}

}  // namespace
}  // namespace meridian::test
