// Counters that begin anew, and frames from elsewhere in their range: what the daemon tells of
// them.
#include "integration/harness/saved_state.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace meridian::test {
namespace {

constexpr std::uint16_t stored_flag = 1;

class SequenceResets : public StateTest {
 protected:
  Json row(std::uint64_t satellite_id = 1, std::uint64_t channel_id = 0) {
    return satellite(daemon().call("satellites"), satellite_id, channel_id);
  }

  void send_stored(std::uint64_t first, std::size_t count) {
    std::vector<NativeFrame> frames = frames_of(1, first, count);
    for (NativeFrame& frame : frames) {
      frame.flags = stored_flag;
    }
    send_whole(daemon().port(), frames);
  }
};

std::string packets(std::uint16_t first, std::uint16_t count) {
  std::string octets;
  for (std::uint16_t i = 0; i < count; ++i) {
    octets += encode(SpacePacket{.apid = 7, .count = static_cast<std::uint16_t>(first + i)});
  }
  return octets;
}

TEST_F(SequenceResets, LostFramesAreSeenBehindThem) {
  start();
  send_whole(daemon().port(), frames_of(1, 1'000'000, 10));
  send_whole(daemon().port(), frames_of(1, 0, 1000));
  send_whole(daemon().port(), frames_of(1, 1600, 400));  // 600 are lost
  const Json entry = row();
  EXPECT_EQ(entry.at("resets"), 1);
  EXPECT_EQ(entry.at("gaps"), 1);
  EXPECT_EQ(entry.at("missing"), 600);
  EXPECT_EQ(entry.at("late"), 0);
  EXPECT_EQ(entry.at("last_sequence"), 1999);
}

TEST_F(SequenceResets, OfSpacePacketsAreSeenToo) {
  start();
  send_whole(daemon().port("packets"), packets(9000, 20) + packets(0, 20) + packets(25, 1));
  const Json entry = row(7, 7);
  EXPECT_EQ(entry.at("resets"), 1);
  EXPECT_EQ(entry.at("missing"), 5);
  EXPECT_EQ(entry.at("late"), 0);
  EXPECT_EQ(entry.at("jumps"), 0);
}

TEST_F(SequenceResets, AreSeenOverARestart) {
  start();
  send_whole(daemon().port(), frames_of(1, 1'000'000, 10));
  send_whole(daemon().port(), frames_of(1, 0, 5));
  EXPECT_EQ(row().at("late"), 5) << "until it is clear what they are";
  restart();
  EXPECT_EQ(row().at("late"), 5);
  send_whole(daemon().port(), frames_of(1, 5, 3));
  EXPECT_EQ(row().at("late"), 0);
  EXPECT_EQ(row().at("resets"), 1);
  restart();
  EXPECT_EQ(row().at("resets"), 1);
  EXPECT_EQ(row().at("last_sequence"), 7);
}

TEST_F(SequenceResets, AreNoneForSingleWildFrames) {
  start();
  send_whole(daemon().port(), frames_of(1, 1'000'000, 10));
  send_whole(daemon().port(), frames_of(1, 3, 1));
  send_whole(daemon().port(), frames_of(1, 1'000'010, 10));
  send_whole(daemon().port(), frames_of(1, (std::uint64_t{1} << 62U) + 5'000'000, 1));
  send_whole(daemon().port(), frames_of(1, 1'000'020, 10));
  const Json entry = row();
  EXPECT_EQ(entry.at("resets"), 0);
  EXPECT_EQ(entry.at("late"), 1);
  EXPECT_EQ(entry.at("jumps"), 1);
  EXPECT_EQ(entry.at("gaps"), 0);
  EXPECT_EQ(entry.at("missing"), 0);
  EXPECT_EQ(entry.at("last_sequence"), 1'000'029);
}

TEST_F(SequenceResets, ComeAfterTheConfiguredNumberOfFrames) {
  start({{"satellites", {{"reset_after_frames", 20}}}});
  send_whole(daemon().port(), frames_of(1, 1'000'000, 10));
  send_whole(daemon().port(), frames_of(1, 0, 19));
  EXPECT_EQ(row().at("resets"), 0);
  EXPECT_EQ(row().at("late"), 19);
  EXPECT_EQ(reload({{"satellites", {{"reset_after_frames", 21}}}}).at("changed"),
            Json::array({"satellites.reset_after_frames"}));
  send_whole(daemon().port(), frames_of(1, 19, 1));
  EXPECT_EQ(row().at("resets"), 0);
  send_whole(daemon().port(), frames_of(1, 20, 1));
  EXPECT_EQ(row().at("resets"), 1);
}

TEST_F(SequenceResets, StoredFramesHaveACounterOfTheirOwn) {
  start();
  send_whole(daemon().port(), frames_of(1, 1000, 10));
  EXPECT_EQ(row().at("stored"), nullptr);
  send_stored(10, 20);
  send_whole(daemon().port(), frames_of(1, 1010, 10));
  send_stored(33, 2);  // 3 are missing
  for (int look = 0; look < 2; ++look) {
    const Json entry = row();
    EXPECT_EQ(entry.at("frames"), 42) << "all of them";
    EXPECT_EQ(entry.at("last_sequence"), 1019) << "that of the live ones";
    EXPECT_EQ(entry.at("late"), 0);
    EXPECT_EQ(entry.at("resets"), 0);
    EXPECT_EQ(entry.at("gaps"), 1) << "of both kinds";
    const Json& stored = entry.at("stored");
    EXPECT_EQ(stored.at("frames"), 22);
    EXPECT_EQ(stored.at("last_sequence"), 34);
    EXPECT_EQ(stored.at("gaps"), 1);
    EXPECT_EQ(stored.at("missing"), 3);
    EXPECT_EQ(stored.at("last_seen_at"), entry.at("last_seen_at"));
    restart();
  }
}

}  // namespace
}  // namespace meridian::test
