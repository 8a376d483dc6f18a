// What peers do must not fill the log, and a log that nobody reads must not hold the daemon up.
#include "integration/harness/daemon.hpp"
#include "integration/harness/require.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

namespace meridian::test {
namespace {

using namespace std::chrono_literals;

class LogFlood : public test::DaemonTest {};

TEST_F(LogFlood, OneBadPeerLeavesFewConsistentLines) {
  constexpr std::uint64_t connections = 1000;
  start();
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t i = 0; i < connections; ++i) {
    UplinkClient bad(daemon().port());
    bad.send(std::string(20, '\xFF'));
    bad.socket().wait_closed();
  }
  const auto seconds = static_cast<std::uint64_t>(
      std::chrono::ceil<std::chrono::seconds>(std::chrono::steady_clock::now() - begin).count());
  stop();
  std::uint64_t malformed = 0;
  std::uint64_t left_out = 0;
  for (const std::string& line : test::lines_of(daemon().log())) {
    malformed += line.find("malformed at stream offset") != std::string::npos ? 1 : 0;
    const std::size_t at = line.find(
        " more lines were left out: uplinks of listener \"native\": "
        "length_too_large");
    if (at != std::string::npos) {
      left_out += std::stoull(line.substr(line.rfind(' ', at - 1) + 1));
    }
  }
  EXPECT_LE(malformed, 20 * (seconds + 1));
  EXPECT_EQ(malformed + left_out, connections) << "counted always";
}

TEST_F(LogFlood, ReturningControlClientsAreLimitedTogether) {
  start();
  for (int i = 0; i < 300; ++i) {
    ControlClient client = daemon().connect();
    client.send_line(R"({"jsonrpc":"2.0","method":"drain"})");  // a notification
    client.call("flush");
  }
  stop();
  std::size_t notifications = 0;
  std::size_t flushes = 0;
  for (const std::string& line : test::lines_of(daemon().log())) {
    notifications += line.find("sent a notification") != std::string::npos ? 1 : 0;
    flushes += line.find("flush: discarded") != std::string::npos ? 1 : 0;
  }
  EXPECT_LT(notifications, 200U);
  EXPECT_LT(flushes, 200U);
  EXPECT_GT(flushes, 0U);
  EXPECT_TRUE(daemon().logged("more lines were left out: control clients of uid"));
}

/// A pipe that is full, and that nobody reads.
struct FullPipe {
  FullPipe() {
    std::array<int, 2> ends{};
    test::require(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0, "there is no pipe");
    read_end = ends[0];
    write_end = ends[1];
    const std::string some(4096, 'x');
    while (::write(write_end, some.data(), some.size()) > 0) {
    }
    ::fcntl(write_end, F_SETFL, 0);  // blocks from now on, as the pipe of a shell does
  }
  FullPipe(const FullPipe&) = delete;
  FullPipe& operator=(const FullPipe&) = delete;
  ~FullPipe() {
    ::close(read_end);
    ::close(write_end);
  }

  int read_end = -1;
  int write_end = -1;
};

TEST(StandardErrorThatNobodyReads, HoldsNothingUp) {
  const TempDir directory;
  const FullPipe pipe;
  const Json config = test::config_in(directory, {{"log", {{"level", "debug"}}}});
  const std::string file = directory.write("meridiand.json", config.dump());
  ChildProcess daemon({"sh", "-c", R"(exec "$0" "$@" 2>&3)", test::meridiand, "--config", file}, {},
                      {pipe.write_end});
  const std::string socket = directory.file("control.sock");
  ASSERT_TRUE(eventually([&] {
    try {
      return ControlClient(socket).call("version").contains("version");
    } catch (const std::runtime_error&) {
      return false;
    }
  })) << "it starts";
  for (int i = 0; i < 100; ++i) {
    ControlClient(socket).call("flush");  // which is logged
  }
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(test::at_most(5s)), 0);
}

}  // namespace
}  // namespace meridian::test
