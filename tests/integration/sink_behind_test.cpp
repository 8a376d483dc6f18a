// Sinks that do not keep up: who waits, what is skipped, and that all of it is counted.
#include "integration/harness/sinks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>

namespace meridian::test {
namespace {

constexpr std::uint64_t uplinks = 4;
constexpr std::uint64_t room = 5'000;         // frames
constexpr std::uint64_t per_uplink = 20'000;  // frames of an uplink; also where programs are slow

/// A sink that reads no more than some frames ahead.
Json short_sight(Json more = Json::object()) {
  more["batch_max_bytes"] = 4'096;
  more["max_in_flight_bytes"] = 8'192;
  return more;
}

class SinkBehind : public test::SinkTest {
 protected:
  /// A server with the stream, which has gone away.
  void SetUp() override {
    SinkTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    server_.start();
    create_stream(sink_options({server_.url()}));
    server_.stop();
  }

  NatsServer& server() { return server_; }

  void start_behind(const Json& sink, const std::string& when_full) {
    start_sinks({sink_into({server_.url()}, sink)},
                {{"max_frames", room}, {"when_full", when_full}}, {{"channel", {{"capacity", 4}}}});
    ASSERT_TRUE(comes_to_say("unreachable"));
  }

  /// That the server, come back, is given whatever was not skipped.
  void expect_the_rest_in_the_stream(std::uint64_t skipped) {
    server_.start();
    const std::uint64_t rest = received() - skipped;
    // What it had in flight may be held no longer, and is no lag then.
    EXPECT_TRUE(eventually(
        [&] { return figure("/acknowledged/frames") == rest && figure("/lag/frames") == 0; },
        test::patience_for_delivery))
        << sink();
    const Json read = read_back({server_.url()}, rest);
    EXPECT_EQ(read.at("distinct"), rest);
    expect_no_repeats(read);
  }

 private:
  NatsServer server_;
};

TEST_F(SinkBehind, UplinksWaitUnderBackpressureAndNothingIsLost) {
  start_behind(short_sight(), "backpressure");
  ChildProcess load = simulate(uplinks, {"--frames", std::to_string(per_uplink)});
  ASSERT_TRUE(eventually([&] {
    const Json sessions = daemon().call("uplinks").at("uplinks");
    return sessions.size() == uplinks &&
           std::ranges::all_of(sessions, [](const Json& s) { return s.at("state") == "held"; });
  }));
  EXPECT_LE(ledger().at("buffered"), room);
  EXPECT_EQ(delivered(), 0U);
  EXPECT_TRUE(load.running());
  server().start();
  EXPECT_TRUE(comes_to_deliver(uplinks * per_uplink)) << sink();
  EXPECT_EQ(load.wait(), 0) << load.err();
  const Json by_reason = ledger().at("dropped");
  for (const auto& [reason, frames] : by_reason.items()) {
    EXPECT_EQ(frames, 0) << reason;
  }
  expect_whole(read_back({server().url()}, uplinks * per_uplink), uplinks * per_uplink);
}

TEST_F(SinkBehind, DropNewestDropsAndCountsExcessFrames) {
  start_behind(short_sight(), "drop_newest");
  std::ignore = simulate_all(uplinks, per_uplink);
  const Json now = ledger();
  EXPECT_EQ(now.at("received"), uplinks * per_uplink);
  EXPECT_EQ(now.at("buffered"), room);
  EXPECT_EQ(now.at("dropped").at("buffer_full_newest"), uplinks * per_uplink - room);
  EXPECT_EQ(figure("/skipped/buffer_full"), 0U) << "they never came as far as the sink";
  EXPECT_EQ(figure("/lag/frames"), room);
  expect_the_rest_in_the_stream(uplinks * per_uplink - room);
  EXPECT_EQ(delivered(), room);
}

class SinkThatSkips : public SinkBehind {
 protected:
  /// Whatever the buffer's policy is: nobody waits, and what is skipped is dropped for that reason.
  void expect_to_skip(const std::string& when_full, const std::string& dropped_as) {
    start_behind(short_sight({{"when_behind", "skip_oldest"}}), when_full);
    const std::uint64_t sent = uplinks * per_uplink;
    std::ignore = simulate_all(uplinks, per_uplink);
    const Json now = ledger();
    EXPECT_EQ(now.at("received"), sent);
    EXPECT_LE(now.at("buffered"), room);
    const std::uint64_t dropped = now.at("dropped").at(dropped_as);
    EXPECT_EQ(now.at("buffered"), sent - dropped);
    // What it had in flight makes room only where nothing else can, and is not skipped.
    const std::uint64_t skipped = figure("/skipped/buffer_full");
    EXPECT_GT(skipped, 0U);
    EXPECT_LE(skipped, dropped);
    EXPECT_EQ(figure("/lag/frames"), sent - dropped) << "what is held";
    expect_the_rest_in_the_stream(skipped);
    EXPECT_EQ(delivered(), sent - dropped);
  }
};

TEST_F(SinkThatSkips, HoldsUpNobodyUnderBackpressure) {
  expect_to_skip("backpressure", "consumer_behind");
}

TEST_F(SinkThatSkips, HasTheNewestWhereOthersWouldBeDropped) {
  expect_to_skip("drop_newest", "consumer_behind");
}

TEST_F(SinkThatSkips, HasTheNewestWhereTheOldestAreDropped) {
  expect_to_skip("drop_oldest", "buffer_full_oldest");
}

TEST_F(SinkThatSkips, HoldsUpNobodyWithTheBufferInFlight) {
  start_behind({{"when_behind", "skip_oldest"}}, "backpressure");
  const std::uint64_t sent = uplinks * per_uplink;
  std::ignore = simulate_all(uplinks, per_uplink);
  EXPECT_EQ(received(), sent);
  expect_the_rest_in_the_stream(figure("/skipped/buffer_full"));
}

TEST_F(SinkThatSkips, StaysWithinItsMemory) {
  constexpr std::size_t buffer_bytes = 8'388'608;
  start_sinks({sink_into({server().url()}, {{"when_behind", "skip_oldest"}})},
              {{"max_bytes", buffer_bytes}, {"when_full", "drop_oldest"}},
              {{"channel", {{"capacity", 8}}}});
  constexpr std::uint64_t many = 50'000;
  std::ignore = simulate_all(uplinks, many, {"--payload-bytes", "1024"});
  EXPECT_EQ(received(), uplinks * many);
  // The sink has second references to twice 8 MiB, and there are slabs on their way.
  if (test::slowdown == 1) {
    EXPECT_LE(daemon().process().resident_bytes(), 8 * buffer_bytes);
  }
  EXPECT_GT(figure("/skipped/buffer_full"), uplinks * many / 2);
  expect_the_rest_in_the_stream(figure("/skipped/buffer_full"));
}

class SinkBesideAnother : public SinkBehind {
 protected:
  void start_both(const Json& first, const Json& second) {
    other_.start();
    create_stream(sink_options({other_.url()}));
    start_sinks({sink_into({server().url()}, first), sink_into({other_.url()}, second)},
                {{"max_frames", room}});
  }

  NatsServer& other() { return other_; }

 private:
  NatsServer other_;
};

TEST_F(SinkBesideAnother, TheLivingHasAllAndTheDeadLags) {
  start_both(short_sight({{"name", "dead"}, {"when_behind", "skip_oldest"}}),
             {{"name", "living"}, {"when_behind", "hold"}});
  const std::uint64_t frames = uplinks * per_uplink;
  std::ignore = simulate_all(uplinks, frames / uplinks);
  EXPECT_TRUE(eventually([&] { return figure("/lag/frames", "living") == 0; }));
  EXPECT_EQ(received(), frames);
  EXPECT_EQ(figure("/acknowledged/frames", "living"), frames);
  expect_whole(read_back({other().url()}, frames), frames);

  const Json dead = sink("dead");
  EXPECT_EQ(dead.at("problem").at("reason"), "unreachable");
  const std::uint64_t lag = dead.at("lag").at("frames");
  EXPECT_GT(lag, 0U);
  EXPECT_LE(lag, room);
  EXPECT_GT(dead.at("lag").at("seconds"), 0);
  const Json now = ledger();
  EXPECT_EQ(lag, now.at("buffered")) << "the other has all of it, so it is held for this one";
  EXPECT_EQ(delivered(), frames - lag) << "nothing is dropped that the one that holds has had";
  // What it had in flight when that made room is held no longer, so it is no lag. It is not skipped
  // either: the sink has it, and delivers it.
  const std::uint64_t skipped = dead.at("skipped").at("buffer_full");
  EXPECT_GE(frames - skipped, lag);

  server().start();
  EXPECT_TRUE(comes_to_deliver(frames)) << sink("dead");
  const Json read = read_back({server().url()}, frames - skipped);
  EXPECT_EQ(read.at("distinct"), frames - skipped);
  expect_no_repeats(read);
}

TEST_F(SinkBesideAnother, DeadSinkThatSkipsHoldsUpNobody) {
  start_both({{"name", "dead"}, {"when_behind", "skip_oldest"}}, {{"name", "living"}});
  const std::uint64_t frames = uplinks * per_uplink;
  std::ignore = simulate_all(uplinks, frames / uplinks);
  EXPECT_TRUE(eventually([&] { return figure("/lag/frames", "living") == 0; }));
  expect_whole(read_back({other().url()}, frames), frames);
}

TEST_F(SinkBesideAnother, EachDeliversEverythingAtItsOwnPace) {
  start_both(short_sight({{"name", "late"}}), {{"name", "early"}});
  send_whole(daemon().port(), frames_of(7, 0, room - 1'000));
  EXPECT_TRUE(eventually([&] { return figure("/lag/frames", "early") == 0; }));
  EXPECT_EQ(figure("/lag/frames", "late"), room - 1'000);
  EXPECT_EQ(delivered(), 0U) << "one of them is to have them yet";
  server().start();
  EXPECT_TRUE(comes_to_deliver(room - 1'000)) << sink("late");
  for (NatsServer* each : {&server(), &other()}) {
    expect_whole(read_back({each->url()}, room - 1'000), room - 1'000);
  }
}

class SinkBesideDrains : public SinkBehind {
 protected:
  static constexpr std::uint64_t frames = 4'000;

  /// Frames of four satellites are in the buffer, some of which the sink has read.
  void start_with_frames() {
    start_behind(short_sight(), "backpressure");
    for (std::uint32_t satellite = 1; satellite <= 4; ++satellite) {
      send_whole(daemon().port(), frames_of(satellite, 0, frames / 4, 20));
    }
    ASSERT_EQ(ledger().at("buffered"), frames);
  }

  /// That whatever others took is skipped, and the rest is in the stream. What the sink had read
  /// before is there, too.
  void expect_the_rest(const std::string& skip, std::uint64_t taken) {
    const std::uint64_t skipped = figure("/skipped/" + skip);
    EXPECT_GT(skipped, 0U);
    EXPECT_LE(skipped, taken);
    expect_the_rest_in_the_stream(skipped);
    EXPECT_EQ(ledger().at("buffered"), 0);
    EXPECT_EQ(delivered(), frames - taken);
  }
};

TEST_F(SinkBesideDrains, WhatIsDrainedIsSkipped) {
  ASSERT_NO_FATAL_FAILURE(start_with_frames());
  ControlClient client = daemon().connect();
  EXPECT_EQ(client.call("drain", {{"max_frames", 1'500}}).at("frames").size(), 1'500U);
  EXPECT_EQ(client.drain_all({{"satellite_id", 4}}).size(), 1'000U);
  EXPECT_EQ(ledger().at("drained"), 2'500);
  expect_the_rest("drained", 2'500);
}

TEST_F(SinkBesideDrains, WhatIsFlushedIsSkipped) {
  ASSERT_NO_FATAL_FAILURE(start_with_frames());
  EXPECT_EQ(daemon().call("flush").at("discarded"), frames);
  send_whole(daemon().port(), frames_of(5, 0, 100));
  const std::uint64_t skipped = figure("/skipped/flushed");
  EXPECT_GT(skipped, 0U);
  expect_the_rest_in_the_stream(skipped);
  EXPECT_EQ(ledger().at("flushed"), frames);
  EXPECT_EQ(delivered(), 100U);
}

TEST_F(SinkBesideDrains, CommittedLeasesAreSkippedButNotReleasedOnes) {
  ASSERT_NO_FATAL_FAILURE(start_with_frames());
  ControlClient client = daemon().connect();
  const Json kept =
      client.call("drain", {{"lease_s", 60}, {"satellite_id", 3}, {"max_frames", 1'000}});
  const Json given_back =
      client.call("drain", {{"lease_s", 60}, {"satellite_id", 4}, {"max_frames", 1'000}});
  EXPECT_EQ(ledger().at("leased"), 2'000);
  EXPECT_EQ(figure("/skipped/drained"), 0U) << "they may come back";
  EXPECT_EQ(client.call("commit", {{"lease", kept.at("lease")}}).at("committed"), 1'000);
  EXPECT_EQ(client.call("release", {{"lease", given_back.at("lease")}}).at("released"), 1'000);
  EXPECT_EQ(figure("/skipped/drained"), 1'000U);
  expect_the_rest("drained", 1'000);
}

}  // namespace
}  // namespace meridian::test
