// Satellites that are forgotten: on demand, by themselves, and what a full table says.
#include "integration/harness/saved_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace meridian::test {
namespace {

using testing::HasSubstr;

class Forgetting : public StateTest {
 protected:
  Finished ctl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {test::meridianctl, "--socket", daemon().socket()});
    return test::run(arguments);
  }
  Json satellites() { return daemon().call("satellites").at("satellites"); }
  std::size_t logged(std::string_view text) {
    std::size_t count = 0;
    for (const std::string& line : lines_of(daemon().log())) {
      count += line.find(text) != std::string::npos ? 1 : 0;
    }
    return count;
  }
  void send_channel(std::uint16_t channel) {
    std::vector<NativeFrame> frames = frames_of(7, 100, 5);
    for (NativeFrame& frame : frames) {
      frame.channel_id = channel;
    }
    send_whole(daemon().port(), frames);
  }
};

TEST_F(Forgetting, LeavesFramesAndBooksAsTheyAre) {
  start();
  send_channel(1);
  send_channel(2);
  send_channel(3);
  send_whole(daemon().port(), frames_of(8, 0, 5));
  EXPECT_EQ(daemon().call("forget", {{"satellite_id", 7}, {"channel_id", 2}}),
            (Json{{"forgotten", 1}}));
  EXPECT_EQ(satellites().size(), 3U);
  EXPECT_EQ(daemon().call("forget", {{"satellite_id", 7}}), (Json{{"forgotten", 2}}));
  EXPECT_EQ(daemon().call("forget", {{"satellite_id", 7}}), (Json{{"forgotten", 0}}));
  ASSERT_EQ(satellites().size(), 1U);
  EXPECT_EQ(satellites().at(0).at("satellite_id"), 8);
  EXPECT_EQ(daemon().stat("/ledger/buffered"), 20U);
  EXPECT_EQ(daemon().connect().drain_all({{"satellite_id", 7}}).size(), 15U);
  EXPECT_TRUE(test::balanced(daemon().call("stats")));

  send_whole(daemon().port(), frames_of(7, 3, 1));
  const Json again = satellite(daemon().call("satellites"), 7);
  EXPECT_EQ(again.at("frames"), 1) << "it is a new one";
  EXPECT_EQ(again.at("late"), 0);
}

TEST_F(Forgetting, IsAskedForByACommand) {
  start();
  send_channel(1);
  send_channel(2);
  EXPECT_EQ(ctl({"forget", "7", "2"}).out, "forgot 1 channels\n");
  EXPECT_EQ(ctl({"--json", "forget", "7"}).out, "{\"forgotten\":1}\n");
  const Finished none = ctl({"forget", "7"});
  EXPECT_EQ(none.status, 1) << "what was asked for was not there";
  EXPECT_EQ(none.out, "forgot 0 channels\n");
  EXPECT_THAT(ctl({"forget", "seven"}).status, testing::Ge(100));
  EXPECT_THAT(ctl({"forget"}).status, testing::Ge(100));
  EXPECT_TRUE(eventually([&] { return daemon().logged("forget: satellite 7, channel 2"); }));
}

TEST_F(Forgetting, NeedsASatellite) {
  start();
  for (const Json& params : {Json::object(), Json{{"channel_id", 1}}, Json{{"satellite_id", -1}},
                             Json{{"satellite_id", 1}, {"more", 1}}}) {
    const Json answer = daemon().connect().ask(rpc("forget", params));
    EXPECT_EQ(test::error_code_of(answer), -32602) << answer;
    EXPECT_THAT(test::error_message_of(answer), HasSubstr("satellite_id"));
  }
  EXPECT_EQ(test::error_code_of(daemon().connect().ask("forget")), -32602);
}

TEST_F(Forgetting, OutlivesARestart) {
  start();
  send_channel(1);
  send_whole(daemon().port(), frames_of(8, 0, 5));
  std::ignore = daemon().connect().drain_all();
  EXPECT_EQ(daemon().call("forget", {{"satellite_id", 7}}), (Json{{"forgotten", 1}}));
  restart();
  ASSERT_EQ(satellites().size(), 1U);
  EXPECT_EQ(satellites().at(0).at("satellite_id"), 8);
  EXPECT_TRUE(test::balanced(daemon().call("stats")));
}

TEST_F(Forgetting, OutlivesARestartDespiteItsBufferedFrames) {
  start();
  send_channel(1);
  send_whole(daemon().port(), frames_of(8, 0, 5));
  EXPECT_EQ(daemon().call("forget", {{"satellite_id", 7}}), (Json{{"forgotten", 1}}));
  for (int starts = 0; starts < 2; ++starts) {
    restart();
    ASSERT_EQ(satellites().size(), 1U) << "its frames were counted before";
    EXPECT_EQ(satellites().at(0).at("satellite_id"), 8);
    EXPECT_TRUE(test::balanced(daemon().call("stats")));
  }
  EXPECT_EQ(daemon().connect().drain_all().size(), 10U);
}

TEST_F(Forgetting, EndsTheSilenceOfASatellite) {
  start({{"satellites", {{"silent_after_s", 1}}}});
  send_whole(daemon().port(), frames_of(7, 0, 1));
  ASSERT_TRUE(eventually([&] { return logged("satellite 7 is silent") == 1; }));
  std::ignore = daemon().call("forget", {{"satellite_id", 7}});
  send_whole(daemon().port(), frames_of(8, 0, 1));
  ASSERT_TRUE(eventually([&] { return logged("satellite 8 is silent") == 1; }));
  EXPECT_EQ(logged("satellite 7 is heard again"), 0U);
}

TEST_F(Forgetting, HappensByItselfToSilentSatellites) {
  start({{"satellites", {{"forget_after_s", 2}}}});
  send_whole(daemon().port(), frames_of(8, 0, 1));
  std::uint64_t next = 0;
  ASSERT_TRUE(eventually([&] {
    send_whole(daemon().port(), frames_of(7, next++, 1));
    return satellite(daemon().call("satellites"), 8) == nullptr;
  }));
  const Json heard = satellite(daemon().call("satellites"), 7);
  EXPECT_EQ(heard.at("frames"), next) << "it was heard all the time";
  EXPECT_TRUE(eventually([&] { return logged("forgot 1 satellite channels") >= 1; }));
}

TEST_F(Forgetting, ReportsAFullTableOnceAndMakesRoom) {
  start({{"satellites", {{"max_tracked", 2}}}});
  for (std::uint32_t id = 1; id <= 2; ++id) {
    send_whole(daemon().port(), frames_of(id, 0, 1));
  }
  std::uint64_t next = 0;
  const auto send_third = [&] { send_whole(daemon().port(), frames_of(3, next++, 1)); };
  // Some looks, of which each finds frames that have no room.
  const auto begin = daemon().stat("/uptime_s");
  ASSERT_TRUE(eventually([&] {
    send_third();
    return daemon().stat("/uptime_s") >= begin + 4 && logged("satellites.max_tracked") > 0;
  }));
  EXPECT_EQ(logged("as many as satellites.max_tracked allows"), 1U) << daemon().log();
  EXPECT_EQ(satellite(daemon().call("satellites"), 3), nullptr);

  EXPECT_EQ(daemon().call("forget", {{"satellite_id", 1}}), (Json{{"forgotten", 1}}));
  send_third();
  EXPECT_EQ(satellite(daemon().call("satellites"), 3).at("frames"), 1) << "it has a row now";
}

}  // namespace
}  // namespace meridian::test
