// meridianctl top: in lines, and in a real terminal, which tmux is.
#include "integration/harness/daemon.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace meridian {
namespace {

using testing::ChildProcess;
using testing::DaemonTest;
using testing::eventually;
using testing::Finished;
using testing::frames_of;
using ::testing::HasSubstr;
using testing::Json;
using testing::lines_of;
using ::testing::Not;
using testing::scaled;
using testing::send_whole;

class TopInLines : public DaemonTest {
 protected:
  Finished top(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {testing::meridianctl, "--socket", daemon().socket(), "top",
                                         "--interval", "0.1"});
    return testing::run(arguments);
  }
};

TEST_F(TopInLines, IsALineForEachInterval) {
  start();
  send_whole(daemon().port(), frames_of(7, 0, 1234));
  const Finished finished = top({"--count", "3"});
  EXPECT_EQ(finished.status, 0) << finished.err;
  ASSERT_EQ(lines_of(finished.out).size(), 3U);
  EXPECT_THAT(lines_of(finished.out).front(),
              ::testing::AllOf(HasSubstr("received 1,234"), HasSubstr("satellites 1, 0 silent"),
                               Not(HasSubstr("BALANCE"))));
}

TEST_F(TopInLines, IsAnObjectForEachIntervalForPrograms) {
  start();
  send_whole(daemon().port(), frames_of(7, 0, 10));
  const Finished finished = top({"--count", "2", "--json"});
  EXPECT_EQ(finished.status, 0);
  const auto lines = lines_of(finished.out);
  ASSERT_EQ(lines.size(), 2U);
  const Json line = Json::parse(lines.back());
  EXPECT_EQ(line.at("received"), 10);
  EXPECT_EQ(line.at("buffered"), 10);
  EXPECT_EQ(line.at("received_per_s"), 0);
  EXPECT_EQ(line.at("satellites"), 1);
  EXPECT_EQ(line.at("balanced"), true);
}

TEST_F(TopInLines, FailsWithoutADaemon) {
  start();
  stop();
  const Finished finished = top({});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, HasSubstr("does meridiand run?"));
}

/// A shell in a terminal, in which top is run.
class TopOnScreen : public DaemonTest {
 protected:
  void open(std::size_t width, std::size_t height) {
    tmux({"new-session", "-d", "-x", std::to_string(width), "-y", std::to_string(height),
          "env PS1='ready> ' sh"});
    ASSERT_TRUE(eventually([this] { return shows("ready>"); }));
    const std::string command = fmt::format("{} --socket {} top --interval 0.2; echo status $?",
                                            testing::meridianctl, daemon().socket());
    tmux({"send-keys", "-l", command});
    tmux({"send-keys", "Enter"});
    ASSERT_TRUE(eventually([this] { return shows("received"); })) << screen();
  }

  void press(const std::string& key) { tmux({"send-keys", key}); }
  void resize(std::size_t width, std::size_t height) {
    tmux({"resize-window", "-x", std::to_string(width), "-y", std::to_string(height)});
  }
  std::string screen() { return tmux({"capture-pane", "-p"}); }
  bool shows(std::string_view text) { return screen().find(text) != std::string::npos; }
  std::string value_of(const std::string& variable) {
    return tmux({"display-message", "-p", "#{" + variable + "}"});
  }

  void TearDown() override {
    tmux({"kill-server"});
    DaemonTest::TearDown();
  }

 private:
  std::string tmux(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {"tmux", "-S", (directory().path() / "tmux").string(), "-f", "/dev/null"});
    return testing::run(arguments, {"TERM=xterm-256color", "LC_ALL=C.UTF-8"}).out;
  }
};

TEST_F(TopOnScreen, ShowsALoad) {
  start({{"buffer", {{"max_frames", 1'000}}}});
  open(120, 30);
  const std::uint64_t each = scaled(200'000);
  ChildProcess load({testing::meridian_sim, "--connect",
                     fmt::format("127.0.0.1:{}", daemon().port()), "--uplinks", "4", "--frames",
                     std::to_string(each)});
  ASSERT_EQ(load.wait(testing::at_most(std::chrono::seconds(60))), 0);
  const std::string thousands = std::to_string(4 * each / 1'000);
  EXPECT_TRUE(eventually([&] { return shows(thousands + ",000"); })) << screen();
  EXPECT_THAT(screen(), HasSubstr("buffer_full_oldest"));
  EXPECT_THAT(screen(), HasSubstr("balance"));
}

TEST_F(TopOnScreen, FitsEverySize) {
  start();
  for (std::uint32_t satellite = 1; satellite <= 40; ++satellite) {
    send_whole(daemon().port(), frames_of(satellite, 0, 1));
  }
  open(100, 30);
  for (const auto& [width, height] : {std::pair{60U, 15U}, {40U, 10U}, {160U, 50U}, {100U, 30U}}) {
    resize(width, height);
    EXPECT_TRUE(eventually([this, height = height] {
      const auto lines = lines_of(screen());
      return lines.size() == height && screen().find("eceived") != std::string::npos;
    })) << width
        << " by " << height << ":\n"
        << screen();
  }
}

TEST_F(TopOnScreen, GivesTheTerminalBack) {
  start();
  open(80, 24);
  EXPECT_EQ(value_of("alternate_on"), "1\n");
  press("q");
  EXPECT_TRUE(eventually([this] { return shows("status 0"); })) << screen();
  EXPECT_EQ(value_of("alternate_on"), "0\n");
  EXPECT_EQ(value_of("cursor_flag"), "1\n");
  EXPECT_TRUE(shows("ready>"));
}

TEST_F(TopOnScreen, GivesTheTerminalBackWhenItIsInterrupted) {
  start();
  open(80, 24);
  press("C-c");
  EXPECT_TRUE(eventually([this] { return shows("status 130"); })) << screen();
  EXPECT_EQ(value_of("alternate_on"), "0\n");
  EXPECT_EQ(value_of("cursor_flag"), "1\n");
}

TEST_F(TopOnScreen, ShowsUplinksAndHelpByKey) {
  start();
  testing::UplinkClient uplink(daemon().port());
  uplink.send(frames_of(7, 0, 1));
  open(120, 30);
  EXPECT_TRUE(eventually([this] { return shows("SATELLITE"); })) << screen();
  press("u");
  EXPECT_TRUE(eventually([&] { return shows(uplink.address()); })) << screen();
  press("?");
  EXPECT_TRUE(eventually([this] { return shows("quit"); })) << screen();
}

TEST_F(TopOnScreen, GoesOnWhenTheDaemonIsBack) {
  start();
  open(100, 30);
  stop();
  EXPECT_TRUE(eventually([this] { return shows("gone"); })) << screen();
  start();
  send_whole(daemon().port(), frames_of(7, 0, 4'321));
  EXPECT_TRUE(eventually([this] { return shows("4,321") && !shows("gone"); })) << screen();
}

}  // namespace
}  // namespace meridian
