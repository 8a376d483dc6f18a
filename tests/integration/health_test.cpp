// Whether the daemon is well, and how much it logs: by the control socket and by meridianctl.
#include "integration/harness/daemon.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include <signal.h>
#include <unistd.h>

namespace meridian {
namespace {

using testing::DaemonTest;
using testing::error_code_of;
using testing::error_message_of;
using testing::Finished;
using testing::frames_of;
using ::testing::HasSubstr;
using testing::Json;
using testing::rpc;
using testing::send_whole;

class Ctl : public DaemonTest {
 protected:
  Finished ctl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {testing::meridianctl, "--socket", daemon().socket()});
    return testing::run(arguments);
  }
};

class Health : public Ctl {};

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

TEST_F(Health, IsUnknownWhereNobodyAnswers) {
  start();
  stop();
  const Finished finished = ctl({"health"});
  EXPECT_EQ(finished.status, 3);
  EXPECT_THAT(finished.err, HasSubstr("does meridiand run?"));
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

TEST_F(LogLevel, ThatIsNoneIsAnErrorWithThoseThatAre) {
  start();
  const Json answer = daemon().connect().ask(rpc("log_level", {{"level", "verbose"}}));
  EXPECT_EQ(error_code_of(answer), -32602);
  EXPECT_THAT(error_message_of(answer), HasSubstr("trace, debug, info, warning"));
  const Finished finished = ctl({"log-level", "verbose"});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, HasSubstr("level must be one of"));
}

}  // namespace
}  // namespace meridian
