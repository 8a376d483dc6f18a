// What a drain leaves in a file where it is interrupted, or has nothing to write.
#include "integration/harness/bound_socket.hpp"
#include "integration/harness/child_process.hpp"
#include "integration/harness/daemon.hpp"
#include "integration/harness/descriptor.hpp"
#include "integration/harness/require.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <poll.h>
#include <sys/socket.h>

namespace meridian::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// A daemon that answers as slowly as a test wants: one client, line by line.
class SlowDaemon {
 public:
  explicit SlowDaemon(const std::string& path) : listening_(BoundSocket::listening_file(path)) {}

  /// Waits for the client, which is to have been started.
  void accept() {
    wait_for(listening_.descriptor());
    client_.emplace(::accept4(listening_.descriptor(), nullptr, nullptr, SOCK_CLOEXEC));
    require_call(client_->number() >= 0, "accept");
  }

  /// Waits for a request, and answers it with this and what follows.
  void answer(const std::string& result, std::string_view octets = {}) const {
    read_line();
    send(R"({"jsonrpc":"2.0","id":1,"result":)" + result + "}\n");
    send(octets);
  }

 private:
  static void wait_for(int descriptor) {
    constexpr int patience_ms = 30'000;
    pollfd waiting{.fd = descriptor, .events = POLLIN, .revents = 0};
    require_call(::poll(&waiting, 1, patience_ms) == 1, "wait for the client");
  }

  void read_line() const {
    char octet = 0;
    while (octet != '\n') {
      wait_for(client_->number());
      require_call(::recv(client_->number(), &octet, 1, 0) == 1, "read a request");
    }
  }

  void send(std::string_view octets) const {
    while (!octets.empty()) {
      const ssize_t sent = ::send(client_->number(), octets.data(), octets.size(), MSG_NOSIGNAL);
      require_call(sent > 0, "send");
      octets.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  BoundSocket listening_;
  std::optional<Descriptor> client_;
};

TEST(InterruptedDrain, LeavesWhatWasCommittedInTheFile) {
  const std::string committed = encode(frames_of(42, 0, 10));
  const std::string more = encode(frames_of(42, 10, 1'000, 1'000));
  const TempDir directory;
  const std::string file = directory.file("frames");
  const std::string socket = directory.file("control.sock");
  SlowDaemon daemon(socket);
  ChildProcess drain({test::meridianctl, "--socket", socket, "drain", "--all", "--format", "binary",
                      "--output", file});
  daemon.accept();
  daemon.answer(fmt::format(R"({{"frames":10,"bytes":{},"lease":1}})", committed.size()),
                committed);
  daemon.answer(R"({"committed":10})");
  // The second portion comes in part: more than is written at once, and less than all.
  daemon.answer(fmt::format(R"({{"frames":1000,"bytes":{},"lease":2}})", more.size()),
                std::string_view(more).substr(0, more.size() / 2));
  ASSERT_TRUE(eventually([&] { return std::filesystem::file_size(file) > committed.size(); }));
  drain.signal(SIGTERM);
  EXPECT_EQ(drain.wait(), 128 + SIGTERM);
  EXPECT_EQ(read_file(file), committed) << "whole frames, each of which is nowhere else";
}

class DrainIntoAFile : public test::DaemonTest {
 protected:
  test::Finished drain(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {test::meridianctl, "--socket", daemon().socket(), "drain", "--all"});
    return test::run(arguments);
  }
  std::uint64_t depth() { return daemon().call("depth").at("frames").get<std::uint64_t>(); }
};

TEST_F(DrainIntoAFile, AppendsNothingAfterAPartialFrameOrLine) {
  start();
  send_whole(daemon().port(), frames_of(42, 0, 10));
  const std::string frames = encode(frames_of(41, 0, 3));
  const std::string binary = directory().write("binary", frames + frames.substr(0, 30));
  const std::string lines = directory().write("lines", "{}\n{\"satellite_id\":");
  const test::Finished after_frame = drain({"--format", "binary", "--append", "--output", binary});
  EXPECT_EQ(after_frame.status, 1);
  EXPECT_THAT(after_frame.err, AllOf(HasSubstr(binary), HasSubstr("in the middle of a frame")));
  const test::Finished after_line = drain({"--format", "ndjson", "--append", "--output", lines});
  EXPECT_EQ(after_line.status, 1);
  EXPECT_THAT(after_line.err, AllOf(HasSubstr(lines), HasSubstr("in the middle of a line")));
  EXPECT_EQ(read_file(binary), frames + frames.substr(0, 30));
  EXPECT_EQ(read_file(lines), "{}\n{\"satellite_id\":");
  EXPECT_EQ(depth(), 10U);
}

TEST_F(DrainIntoAFile, ReplacesNoFileWhenNothingIsDrained) {
  start();
  const std::string file = directory().write("frames", "the only copy");
  EXPECT_EQ(drain({"--format", "binary", "--force", "--output", file}).status, 0);
  EXPECT_EQ(read_file(file), "the only copy");
  send_whole(daemon().port(), frames_of(42, 0, 10));
  EXPECT_EQ(drain({"--format", "binary", "--force", "--output", file}).status, 0);
  EXPECT_EQ(read_file(file), encode(frames_of(42, 0, 10)));
}

}  // namespace
}  // namespace meridian::test
