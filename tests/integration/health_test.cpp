// Whether the daemon is well, and how much it logs: by the control socket and by meridianctl.
#include "integration/harness/daemon.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <tuple>
#include <vector>

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

namespace meridian::test {
namespace {

using testing::HasSubstr;

class Ctl : public DaemonTest {
 protected:
  Finished ctl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {test::meridianctl, "--socket", daemon().socket()});
    return test::run(arguments);
  }
};

class Health : public Ctl {
 protected:
  int reloads_logged() {
    const std::vector<std::string> lines = test::lines_of(daemon().log());
    return static_cast<int>(std::ranges::count_if(lines, [](const std::string& line) {
      return line.find(" reloaded: ") != std::string::npos;
    }));
  }
};

TEST_F(Health, IsGoodWhereTheDaemonServes) {
  start();
  const Json health = daemon().call("health");
  EXPECT_EQ(health.at("alive").at("status"), "ok");
  EXPECT_EQ(health.at("ready").at("reason"), "serving");
  const Finished finished = ctl({"health"});
  EXPECT_EQ(finished.status, 0);
  EXPECT_THAT(finished.out, HasSubstr("alive: yes"));
  EXPECT_THAT(finished.out, HasSubstr("ready: yes"));
  EXPECT_EQ(Json::parse(ctl({"--json", "health"}).out), health);
}

TEST_F(Health, SaysThatAFullBufferLosesFrames) {
  start({{"buffer", {{"max_frames", 10}}}});
  send_whole(daemon().port(), frames_of(1, 0, 20));
  const Finished finished = ctl({"health"});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.out, HasSubstr("alive: yes"));
  EXPECT_THAT(finished.out, HasSubstr("ready: no, the buffer is full"));
}

TEST_F(Health, ReportsAMissingSocketFileThatSighupRestores) {
  start();
  test::ControlClient before = daemon().connect();
  const auto readiness = [&before] { return before.call("health").at("ready").at("reason"); };
  ASSERT_EQ(readiness(), "serving");
  for (int round = 0; round < 2; ++round) {
    std::filesystem::remove(daemon().socket());
    EXPECT_TRUE(test::eventually([&] { return readiness() == "control_socket_gone"; }));
    daemon().process().signal(SIGHUP);
    EXPECT_TRUE(test::eventually([&] { return readiness() == "serving"; }));
    EXPECT_TRUE(daemon().call("depth").contains("frames")) << "others get in again";
    // Until it has ended, a reload makes a file again that is removed meanwhile.
    EXPECT_TRUE(test::eventually([&] { return reloads_logged() == round + 1; }));
  }
  struct stat status{};
  ASSERT_EQ(::stat(daemon().socket().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0660U);
  EXPECT_TRUE(daemon().logged("error the file of the control socket"));
  EXPECT_TRUE(daemon().logged("info the file of the control socket exists again"));
  stop();
  EXPECT_FALSE(std::filesystem::exists(daemon().socket())) << "it is the daemon's own again";
}

TEST_F(Health, IsRestoredBySighupDespiteARefusedConfiguration) {
  start();
  test::ControlClient before = daemon().connect();
  std::ignore = directory().write("meridiand.json", "{");
  std::filesystem::remove(daemon().socket());
  daemon().process().signal(SIGHUP);
  EXPECT_TRUE(daemon().logged("error the new configuration is refused"));
  EXPECT_TRUE(daemon().call("depth").contains("frames"));
  EXPECT_EQ(before.call("health").at("ready").at("reason"), "serving");
  struct stat status{};
  ASSERT_EQ(::stat(daemon().socket().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0660U);
}

TEST_F(Health, ReportsAMissingSocketDirectory) {
  const std::string place = directory().file("run");
  start({{"control", {{"socket", place + "/control.sock"}}}});
  test::ControlClient before = daemon().connect();
  std::filesystem::remove_all(place);
  EXPECT_TRUE(test::eventually(
      [&] { return before.call("health").at("ready").at("reason") == "control_socket_gone"; }));
  daemon().process().signal(SIGHUP);
  // The file is there before anything listens at it.
  EXPECT_TRUE(daemon().logged("the file of the control socket exists again"));
  EXPECT_TRUE(daemon().call("depth").contains("frames"));
}

TEST_F(Health, LeavesAForeignFileInTheSocketsPlace) {
  start();
  test::ControlClient before = daemon().connect();
  std::filesystem::remove(daemon().socket());
  std::ofstream(daemon().socket()) << "mine";
  daemon().process().signal(SIGHUP);
  EXPECT_TRUE(daemon().logged("there is a file that is not a socket"));
  EXPECT_EQ(test::read_file(daemon().socket()), "mine");
  EXPECT_EQ(before.call("health").at("ready").at("reason"), "control_socket_gone");
}

TEST_F(Health, IsUnknownWhereNobodyAnswers) {
  start();
  stop();
  const Finished finished = ctl({"health"});
  EXPECT_EQ(finished.status, 3);
  EXPECT_THAT(finished.err, HasSubstr("is meridiand running?"));
}

TEST_F(Health, IsUnknownWhereTheDaemonStandsStill) {
  start();
  daemon().process().signal(SIGSTOP);
  const Finished finished = ctl({"health"});
  daemon().process().signal(SIGCONT);
  EXPECT_EQ(finished.status, 3);
  EXPECT_THAT(finished.err, HasSubstr("has not answered for 5 s"));
}

class LogLevel : public Ctl {};

TEST_F(LogLevel, ChangesWhatIsLoggedUntilAReload) {
  start();
  const Finished finished = ctl({"log-level", "error"});
  EXPECT_EQ(finished.status, 0);
  EXPECT_EQ(finished.out, "log level error, was info\n");
  EXPECT_TRUE(daemon().logged("log level error, was info (by uid " + std::to_string(::getuid())));
  EXPECT_EQ(daemon().call("log_level", {{"level", "warning"}}),
            (Json{{"level", "warning"}, {"before", "error"}}));
  reload(Json::object());
  EXPECT_EQ(daemon().call("log_level", {{"level", "debug"}}).at("before"), "info");
}

TEST_F(LogLevel, ChangesAreLoggedWhateverTheLevelsAre) {
  start();
  for (const char* level : {"warning", "off", "error", "trace"}) {
    std::ignore = daemon().call("log_level", {{"level", level}});
  }
  EXPECT_TRUE(daemon().logged("log level warning, was info"));
  EXPECT_TRUE(daemon().logged("log level off, was warning"));
  EXPECT_TRUE(daemon().logged("log level error, was off"));
  EXPECT_TRUE(daemon().logged("log level trace, was error"));
}

TEST_F(LogLevel, UnknownNameIsAnErrorThatListsAll) {
  start();
  const Json answer = daemon().connect().ask(rpc("log_level", {{"level", "verbose"}}));
  EXPECT_EQ(error_code_of(answer), -32602);
  EXPECT_THAT(error_message_of(answer), HasSubstr("trace, debug, info, warning"));
  const Finished finished = ctl({"log-level", "verbose"});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, HasSubstr("level must be one of"));
}

}  // namespace
}  // namespace meridian::test
