// Every method of the control socket, with every field that the contract names.
#include "integration/harness/daemon.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <initializer_list>

namespace meridian::test {
namespace {

using namespace std::chrono_literals;
using testing::ContainsRegex;
using testing::IsSupersetOf;

class ControlContract : public DaemonTest {};

std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) {
    keys.push_back(key);
  }
  return keys;
}

void expect_keys(const Json& object, std::initializer_list<const char*> names) {
  EXPECT_THAT(keys_of(object), IsSupersetOf(std::vector<std::string>(names.begin(), names.end())))
      << object;
}

void expect_counts(const Json& object, std::initializer_list<const char*> names) {
  expect_keys(object, names);
  for (const char* name : names) {
    EXPECT_TRUE(object.at(name).is_number_unsigned()) << name << " in " << object;
  }
}

/// RFC 3339, UTC, microseconds; and not far from now.
void expect_recent_time(const Json& value) {
  const auto text = value.get<std::string>();
  ASSERT_THAT(text,
              ContainsRegex("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z$"));
  std::tm fields{};
  ASSERT_NE(::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &fields), nullptr);
  EXPECT_NEAR(static_cast<double>(::timegm(&fields)), static_cast<double>(std::time(nullptr)), 60);
}

TEST_F(ControlContract, DepthCountsFramesAndWireOctetsWithHeaders) {
  start();
  EXPECT_EQ(daemon().call("depth"), (Json{{"frames", 0}, {"bytes", 0}}));
  send_whole(daemon().port(), frames_of(1, 0, 3, 10));
  EXPECT_EQ(daemon().call("depth"), (Json{{"frames", 3}, {"bytes", 3 * (20 + 10)}}));
}

TEST_F(ControlContract, JsonDrainGivesEveryFieldOfAFrame) {
  start();
  const NativeFrame frame{.satellite_id = 4'000'000'000,
                          .channel_id = 65'535,
                          .flags = 1,
                          .sequence = 18'446'744'073'709'551'615U,
                          .payload = std::string("\x00\xFF\n\"payload", 11)};
  send_whole(daemon().port(), {frame});

  const Json result = daemon().call("drain");
  EXPECT_EQ(keys_of(result), (std::vector<std::string>{"frames", "remaining"}));
  EXPECT_EQ(result.at("remaining"), 0);
  ASSERT_EQ(result.at("frames").size(), 1U);
  const Json& drained = result.at("frames").at(0);
  EXPECT_EQ(keys_of(drained), (std::vector<std::string>{"channel_id", "payload", "received_at",
                                                        "satellite_id", "sequence", "stored"}));
  EXPECT_EQ(drained.at("satellite_id"), frame.satellite_id);
  EXPECT_EQ(drained.at("channel_id"), frame.channel_id);
  EXPECT_EQ(drained.at("sequence"), frame.sequence);
  EXPECT_EQ(drained.at("stored"), true);
  EXPECT_EQ(decode_base64(drained.at("payload").get<std::string>()), frame.payload);
  expect_recent_time(drained.at("received_at"));
}

TEST_F(ControlContract, JsonDrainPadsPayloadsOfEveryLength) {
  start();
  std::vector<NativeFrame> frames;
  frames.reserve(7);
  for (std::size_t bytes = 0; bytes < 7; ++bytes) {
    frames.push_back({.satellite_id = 1, .sequence = bytes, .payload = std::string(bytes, '\xA5')});
  }
  send_whole(daemon().port(), frames);
  const Json drained = daemon().call("drain").at("frames");
  ASSERT_EQ(drained.size(), frames.size());
  for (std::size_t i = 0; i < frames.size(); ++i) {
    EXPECT_EQ(decode_base64(drained[i].at("payload").get<std::string>()), frames[i].payload);
    EXPECT_EQ(drained[i].at("stored"), false);
  }
}

TEST_F(ControlContract, DrainTakesTheOldestThousandUnlessToldOtherwise) {
  start();
  send_whole(daemon().port(), frames_of(1, 0, 1500));
  ControlClient client = daemon().connect();

  const Json first = client.call("drain");
  ASSERT_EQ(first.at("frames").size(), 1000U);
  EXPECT_EQ(first.at("frames").front().at("sequence"), 0);
  EXPECT_EQ(first.at("frames").back().at("sequence"), 999);
  EXPECT_EQ(first.at("remaining"), 500);

  const Json second = client.call("drain", {{"max_frames", 7}});
  ASSERT_EQ(second.at("frames").size(), 7U);
  EXPECT_EQ(second.at("frames").front().at("sequence"), 1000);
  EXPECT_EQ(second.at("remaining"), 493);
  EXPECT_EQ(client.call("depth").at("frames"), 493) << "drained frames are removed";
}

TEST_F(ControlContract, BinaryDrainGivesTheOctetsAsTheyCame) {
  start();
  std::vector<NativeFrame> frames = frames_of(3, 5, 100, 33);
  frames[50].flags = 1;
  frames[51].payload.clear();
  send_whole(daemon().port(), frames);
  const std::string sent = encode(frames);
  ControlClient client = daemon().connect();

  const auto [result, octets] = client.drain_binary({{"max_frames", 60}});
  EXPECT_EQ(keys_of(result), (std::vector<std::string>{"bytes", "frames", "remaining"}));
  EXPECT_EQ(result.at("frames"), 60);
  EXPECT_EQ(result.at("remaining"), 40);
  EXPECT_EQ(octets, sent.substr(0, octets.size()));

  const auto [rest_result, rest] = client.drain_binary();
  EXPECT_EQ(rest_result.at("remaining"), 0);
  EXPECT_EQ(octets + rest, sent);
  EXPECT_EQ(client.ask("depth").at("frames"), 0) << "exactly so many octets came: the next answer "
                                                    "is a line again";
}

TEST_F(ControlContract, BinaryDrainOfNothingHasNoOctets) {
  start();
  ControlClient client = daemon().connect();
  EXPECT_EQ(client.drain_binary().result, (Json{{"frames", 0}, {"bytes", 0}, {"remaining", 0}}));
  EXPECT_EQ(client.ask("depth").at("frames"), 0);
}

TEST_F(ControlContract, SatelliteDrainLeavesTheOthersInOrder) {
  start();
  std::vector<NativeFrame> mixed;
  for (std::uint64_t sequence = 0; sequence < 50; ++sequence) {
    for (std::uint32_t id = 1; id <= 3; ++id) {
      mixed.push_back({.satellite_id = id, .sequence = sequence, .payload = "x"});
    }
  }
  send_whole(daemon().port(), mixed);
  ControlClient client = daemon().connect();

  const Json some = client.call("drain", {{"satellite_id", 2}, {"max_frames", 20}});
  ASSERT_EQ(some.at("frames").size(), 20U);
  EXPECT_EQ(some.at("remaining"), 130) << "what remains in the buffer, whosever it is";
  for (std::uint64_t sequence = 0; sequence < 20; ++sequence) {
    EXPECT_EQ(some.at("frames")[sequence].at("satellite_id"), 2);
    EXPECT_EQ(some.at("frames")[sequence].at("sequence"), sequence);
  }
  EXPECT_EQ(client.drain_all({{"satellite_id", 2}}).size(), 30U);
  EXPECT_TRUE(client.drain_all({{"satellite_id", 9}}).empty());

  std::erase_if(mixed, [](const NativeFrame& frame) { return frame.satellite_id == 2; });
  EXPECT_EQ(client.drain_all(), mixed);
  EXPECT_TRUE(balanced(client.call("stats")));
}

TEST_F(ControlContract, FlushSaysHowManyItDiscarded) {
  start();
  send_whole(daemon().port(), frames_of(1, 0, 12));
  ControlClient client = daemon().connect();
  EXPECT_EQ(client.call("flush"), (Json{{"discarded", 12}}));
  EXPECT_EQ(client.call("flush"), (Json{{"discarded", 0}}));
  const Json stats = client.call("stats");
  EXPECT_EQ(stats.at("ledger").at("flushed"), 12);
  EXPECT_EQ(stats.at("ledger").at("buffered"), 0);
  EXPECT_TRUE(balanced(stats));
}

TEST_F(ControlContract, StatsHaveEveryFieldFromTheStart) {
  start(
      {{"buffer", {{"max_frames", 500}, {"max_bytes", 100'000}}}, {"channel", {{"capacity", 9}}}});
  const Json stats = daemon().call("stats");
  expect_keys(stats,
              {"ledger", "buffer", "channel", "sessions", "malformed", "truncated", "uptime_s"});
  expect_counts(stats.at("ledger"),
                {"received", "buffered", "leased", "delivered", "drained", "flushed"});
  expect_counts(stats.at("ledger").at("dropped"),
                {"buffer_full_oldest", "buffer_full_newest", "channel_full"});
  expect_counts(stats.at("buffer"), {"frames", "bytes", "max_frames", "max_bytes",
                                     "frames_high_water", "bytes_high_water"});
  EXPECT_EQ(stats.at("buffer").at("max_frames"), 500);
  EXPECT_EQ(stats.at("buffer").at("max_bytes"), 100'000);
  expect_counts(stats.at("channel"), {"length", "capacity", "high_water"});
  EXPECT_EQ(stats.at("channel").at("capacity"), 9);
  expect_counts(stats.at("sessions"), {"open", "accepted"});
  EXPECT_TRUE(stats.at("sessions").at("closed").is_object());
  EXPECT_TRUE(stats.at("malformed").is_object());
  expect_counts(stats, {"truncated"});
  EXPECT_TRUE(stats.at("uptime_s").is_number());
  EXPECT_GE(stats.at("uptime_s").get<double>(), 0);
}

TEST_F(ControlContract, StatsFollowAFrameThroughTheLedger) {
  start({{"buffer", {{"max_frames", 10}}}});
  send_whole(daemon().port(), frames_of(1, 0, 15, 4));
  ControlClient client = daemon().connect();
  client.call("drain", {{"max_frames", 3}});
  const Json stats = client.call("stats");
  EXPECT_EQ(stats.at("ledger").at("received"), 15);
  EXPECT_EQ(stats.at("ledger").at("buffered"), 7);
  EXPECT_EQ(stats.at("ledger").at("drained"), 3);
  EXPECT_EQ(stats.at("ledger").at("dropped").at("buffer_full_oldest"), 5);
  EXPECT_EQ(stats.at("buffer").at("frames"), 7);
  EXPECT_EQ(stats.at("buffer").at("bytes"), 7 * 24);
  EXPECT_EQ(stats.at("buffer").at("frames_high_water"), 10);
  EXPECT_EQ(stats.at("buffer").at("bytes_high_water"), 10 * 24);
  EXPECT_EQ(stats.at("sessions").at("accepted"), 1);
  EXPECT_EQ(stats.at("sessions").at("open"), 0);
  EXPECT_EQ(stats.at("sessions").at("closed").at("end_of_stream"), 1);
}

TEST_F(ControlContract, UplinksShowWhoIsConnectedAndWhoWas) {
  start();
  UplinkClient first(daemon().port());
  first.send(frames_of(1, 0, 4, 10));
  ASSERT_TRUE(eventually([&] { return daemon().call("depth").at("frames") == 4; }));

  Json answer = daemon().call("uplinks");
  expect_keys(answer, {"uplinks", "closed"});
  ASSERT_EQ(answer.at("uplinks").size(), 1U);
  EXPECT_TRUE(answer.at("closed").empty());
  const Json open = answer.at("uplinks").at(0);
  expect_keys(open, {"id", "listener", "peer", "state", "connected_at", "last_frame_at", "frames",
                     "bytes"});
  EXPECT_EQ(open.at("listener"), "native");
  EXPECT_EQ(open.at("peer"), first.address());
  EXPECT_EQ(open.at("state"), "receiving");
  EXPECT_EQ(open.at("frames"), 4);
  EXPECT_EQ(open.at("bytes"), 4 * 30);
  expect_recent_time(open.at("connected_at"));
  expect_recent_time(open.at("last_frame_at"));

  first.finish();
  ASSERT_TRUE(eventually([&] { return daemon().call("uplinks").at("closed").size() == 1; }));
  answer = daemon().call("uplinks");
  EXPECT_TRUE(answer.at("uplinks").empty());
  const Json closed = answer.at("closed").at(0);
  EXPECT_EQ(closed.at("id"), open.at("id"));
  EXPECT_EQ(closed.at("peer"), open.at("peer"));
  EXPECT_EQ(closed.at("frames"), 4);
  EXPECT_EQ(closed.at("reason"), "end_of_stream");
  expect_recent_time(closed.at("closed_at"));
}

TEST_F(ControlContract, SatellitesHaveEveryField) {
  start();
  // 0 1 2 | a gap of 2 | 5 5 (a duplicate) 3 (late) 6
  std::vector<NativeFrame> frames;
  for (const std::uint64_t sequence : {0U, 1U, 2U, 5U, 5U, 3U, 6U}) {
    frames.push_back({.satellite_id = 8, .channel_id = 2, .sequence = sequence, .payload = "four"});
  }
  send_whole(daemon().port(), frames);
  const Json answer = daemon().call("satellites");
  EXPECT_EQ(keys_of(answer), std::vector<std::string>{"satellites"});
  ASSERT_EQ(answer.at("satellites").size(), 1U);
  Json entry = answer.at("satellites").at(0);
  expect_recent_time(entry.at("last_seen_at"));
  entry.erase("last_seen_at");
  EXPECT_EQ(entry, (Json{{"satellite_id", 8},
                         {"channel_id", 2},
                         {"frames", 7},
                         {"bytes", 7 * 24},
                         {"last_sequence", 6},
                         {"gaps", 1},
                         {"missing", 2},
                         {"duplicates", 1},
                         {"late", 1},
                         {"jumps", 0},
                         {"resets", 0},
                         {"stored", nullptr},
                         {"silent", false},
                         {"dropped", 0}}));
}

TEST_F(ControlContract, ChannelsOfASatelliteCountApart) {
  start();
  std::vector<NativeFrame> frames;
  for (std::uint64_t sequence = 0; sequence < 10; ++sequence) {
    frames.push_back({.satellite_id = 8, .channel_id = 1, .sequence = sequence});
    frames.push_back({.satellite_id = 8, .channel_id = 2, .sequence = 100 + 2 * sequence});
  }
  send_whole(daemon().port(), frames);
  const Json answer = daemon().call("satellites");
  EXPECT_EQ(satellite(answer, 8, 1).at("gaps"), 0);
  EXPECT_EQ(satellite(answer, 8, 2).at("gaps"), 9);
  EXPECT_EQ(satellite(answer, 8, 2).at("missing"), 9);
}

TEST_F(ControlContract, ReconnectIsNotAGap) {
  start();
  send_whole(daemon().port(), frames_of(1, 0, 10));
  send_whole(daemon().port(), frames_of(1, 10, 10));
  const Json entry = satellite(daemon().call("satellites"), 1);
  EXPECT_EQ(entry.at("frames"), 20);
  EXPECT_EQ(entry.at("gaps"), 0);
  EXPECT_EQ(entry.at("duplicates"), 0);
  EXPECT_EQ(entry.at("late"), 0);
}

TEST_F(ControlContract, VersionNamesProgramVersionAndBuild) {
  start();
  const Json version = daemon().call("version");
  EXPECT_EQ(version.at("name"), "meridiand");
  EXPECT_FALSE(version.at("version").get<std::string>().empty());
  EXPECT_FALSE(version.at("build").get<std::string>().empty());
}

TEST_F(ControlContract, RequestSeesFramesSentBeforeIt) {
  start();
  // The daemon closes an uplink once it has handed everything over: no waiting is needed then.
  for (std::uint64_t round = 1; round <= 20; ++round) {
    send_whole(daemon().port(), frames_of(1, (round - 1) * 500, 500));
    ASSERT_EQ(daemon().call("depth").at("frames"), round * 500);
  }
}

}  // namespace
}  // namespace meridian::test
