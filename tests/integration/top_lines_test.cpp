// meridianctl top without a terminal: a line for each interval.
#include "integration/harness/daemon.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <signal.h>

namespace meridian::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class TopInLines : public DaemonTest {
 protected:
  ChildProcess spawn(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {test::meridianctl, "--socket", daemon().socket(), "top",
                                         "--interval", "0.1"});
    return ChildProcess(arguments);
  }
  Finished top(const std::vector<std::string>& arguments) {
    ChildProcess process = spawn(arguments);
    const int status = process.wait();
    return {status, process.out(), process.err()};
  }
};

TEST_F(TopInLines, IsALineForEachInterval) {
  start();
  send_whole(daemon().port(), frames_of(7, 0, 1234));
  const Finished finished = top({"--count", "3"});
  EXPECT_EQ(finished.status, 0) << finished.err;
  ASSERT_EQ(lines_of(finished.out).size(), 3U);
  EXPECT_THAT(lines_of(finished.out).front(),
              testing::AllOf(HasSubstr("received 1,234"), HasSubstr("satellites 1, 0 silent"),
                             Not(HasSubstr("BALANCE"))));
}

TEST_F(TopInLines, IsAnObjectForEachIntervalForPrograms) {
  start();
  send_whole(daemon().port(), frames_of(7, 0, 10));
  const Finished finished = top({"--count", "2", "--json"});
  EXPECT_EQ(finished.status, 0);
  const auto lines = lines_of(finished.out);
  ASSERT_EQ(lines.size(), 2U);
  Json line = Json::parse(lines.back());
  EXPECT_TRUE(line.at("at").is_string());
  EXPECT_GT(line.at("uptime_s"), 0);
  line.erase("at");
  line.erase("uptime_s");
  EXPECT_EQ(line, (Json{{"received", 10},
                        {"received_per_s", 0},
                        {"bytes_per_s", 0},
                        {"drained", 0},
                        {"drained_per_s", 0},
                        {"flushed", 0},
                        {"dropped", 0},
                        {"dropped_per_s", 0},
                        {"buffered", 10},
                        {"leased", 0},
                        {"delivered", 0},
                        {"buffer_bytes", 10 * 28},
                        {"balanced", true},
                        {"uplinks", 0},
                        {"held", 0},
                        {"satellites", 1},
                        {"silent", 0}}));
}

TEST_F(TopInLines, RateRisesWithArrivalsAndFallsAgain) {
  start();
  ChildProcess process = spawn({"--json"});
  // Each line is there at once.
  ASSERT_TRUE(eventually([&] { return !process.out().empty(); }));
  send_whole(daemon().port(), frames_of(7, 0, 1000));
  const auto lines = [&] {
    const std::string out = process.out();
    return lines_of(out.substr(0, out.rfind('\n')));  // the last one may be half of a line
  };
  ASSERT_TRUE(eventually([&] {
    const Json last = Json::parse(lines().back());
    return last.at("received") == 1000 && last.at("received_per_s") == 0;
  })) << process.out();
  for (const char* rate : {"received_per_s", "bytes_per_s"}) {
    const auto rises = [&](const std::string& line) { return Json::parse(line).at(rate) > 0; };
    EXPECT_TRUE(std::ranges::any_of(lines(), rises)) << rate << " in\n" << process.out();
  }
}

TEST_F(TopInLines, FailsWithoutADaemon) {
  start();
  stop();
  const Finished finished = top({});
  EXPECT_EQ(finished.status, 1);
  EXPECT_EQ(finished.out, "");
  EXPECT_THAT(finished.err, HasSubstr("is meridiand running?"));
}

TEST_F(TopInLines, FailsWhenTheDaemonGoes) {
  start();
  ChildProcess process = spawn({});
  ASSERT_TRUE(eventually([&] { return !process.out().empty(); }));
  stop();
  EXPECT_EQ(process.wait(), 1);
  EXPECT_THAT(process.err(), StartsWith("meridianctl: control socket "));
}

TEST_F(TopInLines, EndsInOrderBySignals) {
  start();
  for (const int signal : {SIGINT, SIGTERM}) {
    ChildProcess process = spawn({});
    ASSERT_TRUE(eventually([&] { return !process.out().empty(); }));
    process.signal(signal);
    EXPECT_EQ(process.wait(), 128 + signal);
    EXPECT_EQ(process.out().back(), '\n') << "no half of a line";
    EXPECT_EQ(process.err(), "");
  }
}

TEST_F(TopInLines, WrongOptionsAreRefused) {
  start();
  const std::vector<std::vector<std::string>> wrong = {{"--interval", "0.05"},
                                                       {"--interval", "4000"},
                                                       {"--interval", "nan"},
                                                       {"--count", "0"},
                                                       {"--sort", "colour"}};
  for (const auto& arguments : wrong) {
    const Finished finished = top(arguments);
    EXPECT_NE(finished.status, 0) << arguments[0];
    EXPECT_THAT(finished.err, HasSubstr(arguments[0]));
  }
}

}  // namespace
}  // namespace meridian::test
