// Satellites that are not heard any more.
#include "integration/harness/http_client.hpp"
#include "integration/harness/saved_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace meridian::test {
namespace {

class SilenceAlarm : public StateTest {
 protected:
  static Json after(int seconds) {
    return {{"http", {{"listen", "127.0.0.1:0"}}}, {"satellites", {{"silent_after_s", seconds}}}};
  }
  bool is_silent(std::uint32_t id) {
    return satellite(daemon().call("satellites"), id).at("silent").get<bool>();
  }
  std::size_t logged(std::string_view text) {
    std::size_t count = 0;
    for (const std::string& line : lines_of(daemon().log())) {
      count += line.find(text) != std::string::npos ? 1 : 0;
    }
    return count;
  }
};

TEST_F(SilenceAlarm, IsRaisedOnceAndEndsOnce) {
  start(after(1));
  send_whole(daemon().port(), frames_of(7, 0, 1));
  ASSERT_TRUE(eventually([this] { return is_silent(7); }));
  EXPECT_EQ(metrics_of(daemon()).at("meridian_satellites_silent"), 1);
  EXPECT_EQ(metrics_of(daemon()).at("meridian_satellite_silent{satellite_id=\"7\"}"), 1);
  send_whole(daemon().port(), frames_of(7, 1, 1));
  ASSERT_TRUE(eventually([this] { return !is_silent(7); }));
  ASSERT_TRUE(eventually([this] { return is_silent(7); }));
  EXPECT_TRUE(eventually(
      [this] { return logged("satellite 7 is silent: no frame from it for 1 s") == 2; }));
  EXPECT_EQ(logged("satellite 7 is heard again"), 1U);
}

TEST_F(SilenceAlarm, IsNotForASatelliteThatIsHeard) {
  start(after(5));  // some looks: 7 is heard between any two, also where the machine is slow
  send_whole(daemon().port(), frames_of(8, 0, 1));
  std::uint64_t next = 0;
  ASSERT_TRUE(eventually([&] {
    send_whole(daemon().port(), frames_of(7, next++, 1));
    return is_silent(8);
  }));
  EXPECT_EQ(logged("satellite 7 is silent"), 0U);
}

TEST_F(SilenceAlarm, IsNotForSatellitesThatAreHeldBack) {
  Json config = after(1);
  config["buffer"] = {{"max_frames", 10}, {"when_full", "backpressure"}};
  start(config);
  test::UplinkClient held(daemon().port());
  held.send(frames_of(7, 0, 20));
  test::send_whole(daemon().port("packets"), test::encode(test::SpacePacket{.apid = 1}));
  // Some looks, by the figures that are taken every second.
  const auto looks = [this] { return daemon().stat("/uptime_s"); };
  const auto begin = looks();
  ASSERT_TRUE(eventually([&] { return looks() >= begin + 4; }));
  EXPECT_EQ(logged("is silent"), 0U);
  std::ignore = daemon().connect().drain_all();
  EXPECT_TRUE(eventually([this] { return is_silent(7); })) << "once it could be heard";
}

TEST_F(SilenceAlarm, GoesOnOverARestart) {
  start(after(1));
  send_whole(daemon().port(), frames_of(7, 0, 1));
  ASSERT_TRUE(eventually([this] { return is_silent(7); }));
  restart(after(1));
  EXPECT_TRUE(eventually([this] { return is_silent(7); }));
}

TEST_F(SilenceAlarm, CanBeSwitchedOffByAReload) {
  start(after(1));
  send_whole(daemon().port(), frames_of(7, 0, 1));
  ASSERT_TRUE(eventually([this] { return is_silent(7); }));
  Json changes = after(0);
  changes["state"] = {{"directory", state().string()}};
  EXPECT_EQ(reload(changes).at("changed"), Json::array({"satellites.silent_after_s"}));
  EXPECT_FALSE(is_silent(7));
}

}  // namespace
}  // namespace meridian::test
