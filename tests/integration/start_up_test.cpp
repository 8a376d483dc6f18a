// What keeps a daemon from starting, and what must not: ports, the socket's path, its file.
#include "integration/harness/daemon.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string_view>

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace meridian::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class StartUp : public testing::Test {
 protected:
  /// Runs a daemon that is not expected to come up.
  Finished run_daemon(const Json& config, const char* file = "refused.json") {
    return test::run({test::meridiand, "--config", directory_.write(file, config.dump())}, {},
                     at_most(std::chrono::seconds(10)));
  }
  Json config(const Json& changes = Json::object()) { return config_in(directory_, changes); }

  TempDir directory_;
};

/// A socket file with somebody who listens on it, as long as it lives.
class ListeningSocket {
 public:
  explicit ListeningSocket(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    if (::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
        ::listen(socket_, 1) != 0) {
      throw std::runtime_error("cannot listen on " + path);
    }
  }
  ListeningSocket(const ListeningSocket&) = delete;
  ListeningSocket& operator=(const ListeningSocket&) = delete;
  ~ListeningSocket() { ::close(socket_); }

 private:
  int socket_;
};

TEST_F(StartUp, PortInUseErrorNamesListenerAndAddress) {
  Daemon first(directory_, config());
  const std::string address = fmt::format("127.0.0.1:{}", first.port());
  const TempDir other;
  const Json second = config_in(
      other, {{"uplinks", {native_listener({{"name", "downlink-2"}, {"listen", address}})}}});
  const Finished refused = run_daemon(second);
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("downlink-2"), HasSubstr(address),
                                 HasSubstr("Address already in use")));
  EXPECT_FALSE(std::filesystem::exists(other.file("control.sock"))) << "it cleans up after itself";
  EXPECT_EQ(first.call("depth").at("frames"), 0) << "the first goes on";
  EXPECT_EQ(first.stop(), 0);
}

TEST_F(StartUp, AddressOfAnotherMachineIsAnError) {
  const Finished refused =
      run_daemon(config({{"uplinks", {native_listener({{"listen", "192.0.2.1:7400"}})}}}));
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("192.0.2.1:7400"));
}

TEST_F(StartUp, OverlongSocketPathIsAnError) {
  const std::string path = directory_.file(std::string(108, 's'));
  const Finished refused = run_daemon(config({{"control", {{"socket", path}}}}));
  EXPECT_EQ(refused.status, 78);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("control.socket"), HasSubstr("1 to 107 octets")));
}

TEST_F(StartUp, UnwritableSocketDirectoryIsAnError) {
  std::filesystem::permissions(directory_.path(), std::filesystem::perms(0755));
  const std::string closed = directory_.file("closed");
  std::filesystem::create_directory(closed);
  std::filesystem::permissions(closed, std::filesystem::perms(0555));
  const Json json = config({{"control", {{"socket", closed + "/control.sock"}}}});
  std::vector<std::string> arguments = {test::meridiand, "--config",
                                        directory_.write("closed.json", json.dump())};
  if (::geteuid() == 0) {  // to whom nothing is closed
    const std::vector<std::string> as_nobody = {"setpriv", "--reuid", "65534",
                                                "--regid", "65534",   "--clear-groups"};
    std::vector<std::string> probe = as_nobody;
    probe.insert(probe.end(), {test::meridiand, "--version"});
    if (test::run(probe).status != 0) {
      GTEST_SKIP() << "an ordinary user cannot run " << test::meridiand;
    }
    arguments.insert(arguments.begin(), as_nobody.begin(), as_nobody.end());
  }
  const Finished refused = test::run(arguments);
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("control.socket"), HasSubstr(closed),
                                 HasSubstr("Permission denied")));
}

TEST_F(StartUp, MissingSocketDirectoryIsCreated) {
  Daemon daemon(directory_, config({{"control", {{"socket", directory_.file("a/b/c.sock")}}}}));
  EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(StartUp, SocketFileHasTheConfiguredMode) {
  struct stat status{};
  {
    Daemon daemon(directory_, config());
    ASSERT_EQ(::stat(daemon.socket().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0660U) << "the default";
    EXPECT_EQ(daemon.stop(), 0);
    EXPECT_FALSE(std::filesystem::exists(daemon.socket())) << "removed at the end";
  }
  Daemon daemon(directory_, config({{"control", {{"mode", "0600"}}}}));
  ASSERT_EQ(::stat(daemon.socket().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(StartUp, SocketFileOfAKilledDaemonIsReplaced) {
  Daemon killed(directory_, config());
  killed.process().signal(SIGKILL);
  EXPECT_EQ(killed.process().wait(), 128 + SIGKILL);
  ASSERT_TRUE(std::filesystem::is_socket(killed.socket())) << "stale";

  Daemon next(directory_, config());
  EXPECT_EQ(next.call("depth").at("frames"), 0);
  EXPECT_EQ(next.stop(), 0);
}

TEST_F(StartUp, SocketOfALiveDaemonIsRefused) {
  Daemon first(directory_, config());
  const Finished refused = run_daemon(config());
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("control.socket"), HasSubstr(first.socket()),
                                 HasSubstr("running daemon")));
  EXPECT_EQ(first.call("depth").at("frames"), 0) << "the first goes on, and keeps its socket";
  EXPECT_EQ(first.stop(), 0);
}

TEST_F(StartUp, SocketOfAnotherProgramIsRefused) {
  const Json json = config();
  const auto path = json.at("control").at("socket").get<std::string>();
  const ListeningSocket other(path);
  const Finished refused = run_daemon(json);
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr(path), HasSubstr("listens")));
  EXPECT_TRUE(std::filesystem::is_socket(path));
}

TEST_F(StartUp, FileOtherThanASocketIsLeftAlone) {
  const Json json = config();
  const auto path = json.at("control").at("socket").get<std::string>();
  std::ignore = directory_.write("control.sock", "precious");
  const Finished refused = run_daemon(json);
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr(path), HasSubstr("not a socket")));
  EXPECT_EQ(test::read_file(path), "precious");
}

TEST_F(StartUp, StopsOnSigintAsOnSigterm) {
  Daemon daemon(directory_, config());
  daemon.process().signal(SIGINT);
  EXPECT_EQ(daemon.process().wait(), 0);
  EXPECT_TRUE(daemon.logged("SIGINT"));
}

TEST_F(StartUp, JsonLogHasOneObjectALine) {
  Daemon daemon(directory_, config({{"log", {{"format", "json"}, {"level", "debug"}}}}));
  test::send_whole(daemon.port(), std::string("\0\0\0", 3));  // something to warn of
  EXPECT_EQ(daemon.stop(), 0);
  bool warned = false;
  for (const std::string& line : test::lines_of(daemon.log())) {
    const Json json = Json::parse(line);
    EXPECT_TRUE(json.at("time").is_string());
    EXPECT_TRUE(json.at("message").is_string());
    warned |= json.at("level") == "warning";
  }
  EXPECT_TRUE(warned);
}

TEST_F(StartUp, LogGoesToAFileIfConfigured) {
  const std::string log = directory_.file("meridiand.log");
  Daemon daemon(directory_, config({{"log", {{"target", log}}}}));
  EXPECT_EQ(daemon.stop(), 0);
  EXPECT_EQ(daemon.log(), "");
  EXPECT_THAT(test::read_file(log), AllOf(HasSubstr("listening"), HasSubstr("remained")));
}

TEST_F(StartUp, UnwritableLogFileIsAnError) {
  const std::string log = directory_.write("file", "no directory") + "/meridiand.log";
  const Finished refused = run_daemon(config({{"log", {{"target", log}}}}));
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr(log));
}

TEST_F(StartUp, LogLevelOfTheCommandLineWins) {
  const std::string file = directory_.write("config.json", config().dump());
  test::ChildProcess daemon({test::meridiand, "--config", file, "--log-level", "error"});
  ASSERT_TRUE(
      eventually([&] { return std::filesystem::is_socket(directory_.file("control.sock")); }));
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0);
  EXPECT_EQ(daemon.err(), "");
}

TEST_F(StartUp, WrongCommandLinesAreRefusedWithAWord) {
  const Finished level = test::run({test::meridiand, "--log-level", "loud"});
  EXPECT_NE(level.status, 0);
  EXPECT_THAT(level.err, AllOf(HasSubstr("loud"), HasSubstr("debug, info, warning")));
  const Finished option = test::run({test::meridiand, "--cofnig", "x"});
  EXPECT_NE(option.status, 0);
  EXPECT_THAT(option.err, HasSubstr("--cofnig"));
}

TEST_F(StartUp, EveryProgramTellsVersionAndHelp) {
  for (const std::string& program : {test::meridiand, test::meridianctl, test::meridian_sim}) {
    const Finished version = test::run({program, "--version"});
    EXPECT_EQ(version.status, 0);
    EXPECT_THAT(version.out, HasSubstr(std::filesystem::path(program).filename().string() + " "));
    const Finished help = test::run({program, "--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_THAT(help.out, HasSubstr("--version"));
  }
}

TEST_F(StartUp, SurvivesTheEndOfItsLogReader) {
  const std::string file = directory_.write("c.json", config().dump());
  // The reader of the log takes one line and is gone.
  ChildProcess daemon({"/bin/bash", "-c",
                       fmt::format("exec 2> >(head -n 1 > /dev/null); exec {} --config {}",
                                   test::meridiand, file)});
  const std::string socket = config().at("control").at("socket");
  std::optional<test::ControlClient> client;
  ASSERT_TRUE(eventually([&] {
    try {
      client.emplace(socket);  // its file is there a moment before anybody listens
      return true;
    } catch (const std::runtime_error&) {
      return false;
    }
  }));
  test::ControlClient& control = *client;
  const std::string address = control.call("uplinks").at("listeners").at(0).at("address");
  const auto port = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  for (std::uint64_t i = 0; i < 10; ++i) {  // each writes to the log
    test::send_whole(port, test::frames_of(1, i, 1));
  }
  EXPECT_EQ(control.call("depth").at("frames"), 10);
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0);
}

TEST(StandardError, ThatCannotBeWrittenChangesNoExitStatus) {
  const std::vector<std::pair<std::string, int>> commands = {
      {fmt::format("{} --config /nonexistent", test::meridiand), 78},
      {fmt::format("{} --socket /nonexistent depth", test::meridianctl), 1},
      {fmt::format("{} --payload-bytes x", test::meridian_sim), 1}};
  for (const auto& [command, status] : commands) {
    for (const std::string redirection : {" 2>/dev/full", " 2>&-"}) {
      EXPECT_EQ(test::run({"/bin/sh", "-c", fmt::format("exec {}{}", command, redirection)}).status,
                status)
          << command << redirection;
    }
  }
}

TEST_F(StartUp, TooManyThreadsAreAnError) {
  if (!test::sanitizers.empty()) {
    GTEST_SKIP() << "sanitizers need more address space than the limit that brings this about";
  }
  const std::string file = directory_.write("c.json", config({{"threads", 1024}}).dump());
  const Finished refused =
      test::run({"/bin/bash", "-c",
                 fmt::format("ulimit -v 2000000; exec {} --config {}", test::meridiand, file)});
  EXPECT_EQ(refused.status, 1);
  // Those for uplinks, one for the aggregator and one for the control socket.
  EXPECT_THAT(refused.err, HasSubstr("cannot start 1026 threads"));
  EXPECT_THAT(refused.err, testing::Not(HasSubstr("ready")));
}

}  // namespace
}  // namespace meridian::test
