// What outlives the stop of a daemon, and what the next one has of it.
#include "integration/harness/saved_state.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <map>
#include <thread>

#include <signal.h>

namespace meridian::test {
namespace {

class Restart : public StateTest {
 protected:
  static Json buffer(std::uint64_t max_frames, const char* when_full) {
    return {{"buffer", {{"max_frames", max_frames}, {"when_full", when_full}}}};
  }
  Json ledger() { return daemon().call("stats").at("ledger"); }
};

/// Frames of a satellite of which every field differs from the next one's.
std::vector<NativeFrame> diverse_frames(std::uint32_t satellite_id, std::size_t count) {
  std::vector<NativeFrame> frames = frames_of(satellite_id, 1000, count, satellite_id % 7);
  for (NativeFrame& frame : frames) {
    frame.channel_id = static_cast<std::uint16_t>(frame.sequence % 3);
    frame.flags = static_cast<std::uint16_t>(frame.sequence % 2);
  }
  return frames;
}

NativeFrame frame_of(const Json& drained) {
  const std::string payload = test::decode_base64(drained.at("payload").get<std::string>());
  return {.satellite_id = drained.at("satellite_id"),
          .channel_id = drained.at("channel_id"),
          .flags = static_cast<std::uint16_t>(drained.at("stored").get<bool>() ? 1 : 0),
          .sequence = drained.at("sequence"),
          .payload = payload};
}

TEST_F(Restart, BufferComesBackInOrderAsItCame) {
  start();
  struct Sent {
    NativeFrame frame;
    Json received_at;
  };
  std::vector<Sent> sent;
  for (std::uint32_t id = 1; id <= 20; ++id) {
    UplinkClient uplink(daemon().port());
    const std::vector<NativeFrame> frames = diverse_frames(id, 10);
    const Json entry = send_as_batch(uplink, frames);
    uplink.finish();
    for (const NativeFrame& frame : frames) {
      sent.push_back({frame, entry.at("last_frame_at")});
    }
  }
  const Json satellites = daemon().call("satellites");

  for (int round = 0; round < 2; ++round) {  // what was restored is saved again
    restart();
    EXPECT_EQ(daemon().stat("/state/restored"), sent.size());
    EXPECT_EQ(daemon().call("satellites"), satellites);
  }
  const std::vector<Json> drained = drain_as_json();
  ASSERT_EQ(drained.size(), sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(frame_of(drained[i]), sent[i].frame) << i;
    EXPECT_EQ(drained[i].at("received_at"), sent[i].received_at) << i;
  }
}

TEST_F(Restart, FramesHeldInTheChannelComeBackToo) {
  constexpr std::size_t batch = 10;
  Json changes = buffer(10 * batch, "backpressure");
  changes["channel"]["capacity"] = 2;
  changes["threads"] = 2;
  start(changes);
  // Ten fill the buffer. The actor holds one more, the channel two, and on each thread one session
  // has a batch for which the channel has no room.
  constexpr std::uint32_t senders = 10 + 1 + 2 + 2;
  std::list<UplinkClient> uplinks;
  std::map<std::uint32_t, Json> received_at;
  for (std::uint32_t id = 1; id <= senders; ++id) {
    const Json entry =
        send_as_batch(uplinks.emplace_back(daemon().port()), diverse_frames(id, batch));
    received_at[id] = entry.at("last_frame_at");
    const std::size_t buffered = std::min<std::size_t>(id, 10) * batch;
    ASSERT_TRUE(eventually([&] { return ledger().at("received") == buffered; })) << ledger();
  }

  restart(changes);
  EXPECT_EQ(ledger().at("received"), senders * batch);
  EXPECT_EQ(ledger().at("buffered"), senders * batch) << "above the bound, since none may be lost";
  const std::vector<Json> drained = drain_as_json();
  std::map<std::uint32_t, std::vector<NativeFrame>> frames;
  for (const Json& each : drained) {
    const NativeFrame frame = frame_of(each);
    EXPECT_EQ(each.at("received_at"), received_at.at(frame.satellite_id));
    frames[frame.satellite_id].push_back(frame);
  }
  ASSERT_EQ(frames.size(), senders);
  for (std::uint32_t id = 1; id <= senders; ++id) {
    EXPECT_EQ(frames[id], diverse_frames(id, batch)) << "of satellite " << id;
  }
  for (std::size_t i = 0; i < 10 * batch; ++i) {
    EXPECT_EQ(drained[i].at("satellite_id"), 1 + i / batch) << "what was in the buffer is in front";
  }
}

TEST_F(Restart, LedgerAndCountersGoOn) {
  const Json changes = buffer(100, "drop_oldest");
  start(changes);
  send_whole(daemon().port(), frames_of(1, 0, 150));
  send_whole(daemon().port(), frames_of(1, 200, 10));  // a gap
  ASSERT_EQ(daemon().connect().drain_all().size(), 100U);
  send_whole(daemon().port(), frames_of(1, 210, 7));
  ASSERT_EQ(daemon().call("flush").at("discarded"), 7);
  send_whole(daemon().port(), frames_of(2, 0, 20));
  const Json ledger_before = ledger();
  const Json satellites_before = daemon().call("satellites");

  restart(changes);
  EXPECT_EQ(ledger(), ledger_before);
  EXPECT_EQ(ledger().at("dropped").at("buffer_full_oldest"), 60);
  EXPECT_EQ(daemon().call("satellites"), satellites_before);

  send_whole(daemon().port(), frames_of(1, 217, 5));
  EXPECT_EQ(ledger().at("received"), 187 + 5);
  EXPECT_EQ(ledger().at("drained"), 100);
  EXPECT_EQ(ledger().at("flushed"), 7);
  EXPECT_EQ(ledger().at("buffered"), 25);
  EXPECT_TRUE(balanced(daemon().call("stats")));
  const Json entry = satellite(daemon().call("satellites"), 1);
  EXPECT_EQ(entry.at("frames"), 172);
  EXPECT_EQ(entry.at("gaps"), 1) << "a restart is not a gap";
  EXPECT_EQ(entry.at("missing"), 50);
  EXPECT_EQ(entry.at("dropped"), 60);
  EXPECT_EQ(entry.at("last_sequence"), 221);
}

TEST_F(Restart, GapOverARestartIsCounted) {
  start();
  send_whole(daemon().port(), frames_of(1, 0, 10));
  restart();
  send_whole(daemon().port(), frames_of(1, 13, 10));
  restart();
  send_whole(daemon().port(), frames_of(1, 22, 2));  // 22 for the second time
  const Json entry = satellite(daemon().call("satellites"), 1);
  EXPECT_EQ(entry.at("gaps"), 1);
  EXPECT_EQ(entry.at("missing"), 3);
  EXPECT_EQ(entry.at("duplicates"), 1);
}

class RestartOfPackets : public Restart, public testing::WithParamInterface<bool> {
 protected:
  void send_packets(const std::vector<std::uint16_t>& counts) {
    std::string octets;
    for (const std::uint16_t count : counts) {
      octets += encode(SpacePacket{.apid = 300, .count = count});
    }
    send_whole(daemon().port("packets"), octets);
  }
  Json entry() { return satellite(daemon().call("satellites"), 7, 300); }
};

TEST_P(RestartOfPackets, SequencesGoOnModuloTheirFourteenBits) {
  const bool drained_before = GetParam();
  start();
  send_packets({16382, 16383});
  if (drained_before) {
    ASSERT_EQ(daemon().connect().drain_all().size(), 2U);
  }
  restart();
  send_packets({0, 1});
  EXPECT_EQ(entry().at("gaps"), 0) << "0 follows 16383";
  restart();
  send_packets({5});
  EXPECT_EQ(entry().at("frames"), 5);
  EXPECT_EQ(entry().at("gaps"), 1);
  EXPECT_EQ(entry().at("missing"), 3) << "2, 3 and 4";
  EXPECT_EQ(entry().at("late"), 0);
}

INSTANTIATE_TEST_SUITE_P(Buffer, RestartOfPackets, testing::Bool(), [](const auto& drained) {
  return drained.param ? "DrainedBefore" : "Full";
});

TEST_F(Restart, WhatWasDrainedDoesNotComeBack) {
  start();
  send_whole(daemon().port(), frames_of(1, 0, 50));
  EXPECT_EQ(daemon().connect().drain_binary({{"max_frames", 20}}).result.at("frames"), 20);
  restart();
  EXPECT_EQ(daemon().connect().drain_all(), frames_of(1, 20, 30));
  restart();
  EXPECT_EQ(daemon().connect().drain_all().size(), 0U);
}

TEST_F(Restart, SavedStateIsGoneOnceRestored) {
  start();
  send_whole(daemon().port(), frames_of(1, 0, 50));
  EXPECT_THAT(files(), testing::IsEmpty());
  stop();
  EXPECT_THAT(files(), testing::ElementsAre("buffer.saved"));
  start();
  EXPECT_THAT(files(), testing::IsEmpty()) << "or it would come back a second time";
  daemon().process().signal(SIGKILL);
  EXPECT_EQ(daemon().process().wait(), 128 + SIGKILL);
  start();
  EXPECT_EQ(daemon().call("depth").at("frames"), 0);
}

TEST_F(Restart, DrainThatTheStopCutsOffIsSaved) {
  start();
  constexpr std::size_t count = 20'000;
  const std::vector<NativeFrame> frames = frames_of(1, 0, count, 1000);
  send_whole(daemon().port(), frames);
  ControlClient reader = daemon().connect();  // which does not read
  reader.send_line(rpc("drain", {{"max_frames", count}, {"format", "binary"}}));
  ASSERT_TRUE(eventually([&] { return ledger().at("drained") == count; }));

  restart();
  EXPECT_EQ(ledger().at("received"), count);
  EXPECT_EQ(ledger().at("drained"), 0);
  EXPECT_TRUE(daemon().connect().drain_all() == frames);
}

TEST_F(Restart, StopOfAFrozenProcessSavesTheBuffer) {
  Json changes = buffer(10'000, "backpressure");
  changes["channel"]["capacity"] = 16;
  for (int attempt = 0; attempt < 2; ++attempt) {  // it takes luck to freeze it in time
    start(changes);
    const test::ChildProcess sim({test::meridian_sim, "--connect",
                                  fmt::format("127.0.0.1:{}", daemon().port()), "--uplinks", "200",
                                  "--duration", "600"});
    ASSERT_TRUE(eventually([&] { return daemon().stat("/channel/length") == 16; }));
    const auto counted = daemon().stat("/ledger/received");
    daemon().process().signal(SIGTERM);
    ASSERT_TRUE(eventually([&] { return daemon().logged("stopping on"); }));
    daemon().process().signal(SIGSTOP);
    std::this_thread::sleep_for(std::chrono::milliseconds(4500));  // as if the machine were paused
    daemon().process().signal(SIGCONT);
    std::ignore = daemon().process().wait();
    start(changes);
    ASSERT_GE(ledger().at("received"), counted);
    ASSERT_GE(ledger().at("buffered"), counted);
    stop();
  }
}

TEST_F(Restart, LowerBoundDropsTheOldest) {
  start();
  send_whole(daemon().port(), frames_of(1, 0, 100));
  restart(buffer(30, "drop_oldest"));
  EXPECT_EQ(ledger().at("dropped").at("buffer_full_oldest"), 70);
  EXPECT_EQ(satellite(daemon().call("satellites"), 1).at("dropped"), 70);
  EXPECT_TRUE(balanced(daemon().call("stats")));
  EXPECT_EQ(daemon().connect().drain_all(), frames_of(1, 70, 30));
}

TEST_F(Restart, LowerBoundDropsTheNewest) {
  start();
  send_whole(daemon().port(), frames_of(1, 0, 100));
  restart(buffer(30, "drop_newest"));
  EXPECT_EQ(ledger().at("dropped").at("buffer_full_newest"), 70);
  EXPECT_TRUE(balanced(daemon().call("stats")));
  EXPECT_EQ(daemon().connect().drain_all(), frames_of(1, 0, 30));
}

TEST_F(Restart, LowerBoundUnderBackpressureKeepsAllAdmitsNone) {
  start();
  send_whole(daemon().port(), frames_of(1, 0, 100));
  restart(buffer(30, "backpressure"));
  ControlClient control = daemon().connect();
  EXPECT_EQ(control.call("depth").at("frames"), 100);

  UplinkClient uplink(daemon().port());
  send_as_batch(uplink, frames_of(1, 100, 10));
  EXPECT_EQ(control.drain_binary({{"max_frames", 70}}).result.at("frames"), 70);
  EXPECT_EQ(ledger().at("received"), 100) << "there still is no room";
  EXPECT_EQ(control.drain_binary({{"max_frames", 5}}).result.at("frames"), 5);
  EXPECT_TRUE(eventually([&] { return ledger().at("received") == 105; })) << ledger();
  EXPECT_EQ(control.drain_all(), frames_of(1, 75, 35));
}

TEST_F(Restart, WithoutAStateDirectoryNothingIsKept) {
  DaemonTest::start();
  send_whole(daemon().port(), frames_of(1, 0, 100));
  EXPECT_EQ(daemon().call("stats").at("state").at("directory"), nullptr);
  EXPECT_TRUE(daemon().logged("no state directory"));
  stop();
  DaemonTest::start();
  EXPECT_EQ(ledger().at("received"), 0);
}

TEST_F(Restart, ServiceManagersDirectoryIsTheDefault) {
  const std::string directories = fmt::format("STATE_DIRECTORY={}:/nonexistent", state().string());
  DaemonTest::start(Json::object(), {.environment = {directories}});
  EXPECT_EQ(daemon().call("stats").at("state").at("directory"), state().string());
  send_whole(daemon().port(), frames_of(1, 0, 10));
  restart();
  EXPECT_EQ(daemon().call("depth").at("frames"), 10);
}

}  // namespace
}  // namespace meridian::test
