// What happens where there is no more room: in the buffer, in the channel, in the system.
#include "integration/harness/daemon.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <exception>
#include <string>
#include <string_view>
#include <thread>

namespace meridian::test {
namespace {

class Overflow : public DaemonTest {
 protected:
  /// Sends frames and waits until the daemon's session has read them: so they are one batch.
  void send_as_batch(UplinkClient& uplink, ControlClient& control,
                     const std::vector<NativeFrame>& frames) {
    const std::uint64_t before = frames_read(uplink, control);
    uplink.send(frames);
    ASSERT_TRUE(eventually([&] { return frames_read(uplink, control) == before + frames.size(); }));
  }

  static std::uint64_t frames_read(UplinkClient& uplink, ControlClient& control) {
    const Json uplinks = control.call("uplinks");
    for (const Json& each : uplinks.at("uplinks")) {
      if (each.at("peer") == uplink.address()) {
        return each.at("frames").get<std::uint64_t>();
      }
    }
    return 0;
  }

  static Json small_buffer(const char* when_full) {
    return {{"buffer", {{"max_frames", 100}, {"when_full", when_full}}}};
  }
};

TEST_F(Overflow, DropOldestKeepsTheNewestFrames) {
  start(small_buffer("drop_oldest"));
  send_whole(daemon().port(), frames_of(1, 0, 250));
  const Json stats = daemon().call("stats");
  EXPECT_EQ(stats.at("ledger").at("dropped").at("buffer_full_oldest"), 150);
  EXPECT_TRUE(balanced(stats));
  EXPECT_EQ(satellite(daemon().call("satellites"), 1).at("dropped"), 150);
  EXPECT_EQ(daemon().connect().drain_all(), frames_of(1, 150, 100));
}

TEST_F(Overflow, ExhaustedMemoryEndsOnlyTheSessionResponsible) {
  if (test::slowdown != 1) {
    GTEST_SKIP() << "a sanitizer wants memory of its own";
  }
  constexpr std::size_t most = 16 * 1024 * 1024;
  start(
      {{"uplinks", {native_listener({{"max_payload_bytes", most}})}},
       {"control", {{"max_request_bytes", most}}}},
      // For each further heap the C library reserves 64 MiB, which it may fill whatever the limit.
      {.environment = {"MALLOC_ARENA_MAX=1"}});
  ControlClient control = daemon().connect();
  send_whole(daemon().port(), frames_of(1, 0, 10));
  UplinkClient lasting(daemon().port());
  lasting.send(frames_of(2, 0, 5));
  ASSERT_TRUE(eventually([&] { return control.call("depth").at("frames") == 15; }));
  const auto faults = [&](const char* of) {
    return control.call("stats").at("faults").at(of).get<int>();
  };
  ASSERT_EQ(faults("uplink") + faults("control"), 0);
  daemon().process().limit_memory_to_come(most / 4);

  UplinkClient large(daemon().port());
  // So much of a frame of 16 MiB that its session wants room for all of it.
  large.send(std::string("\x01\x00\x00\x10", 4) + std::string(8000, '\0'));
  EXPECT_TRUE(eventually([&] { return faults("uplink") == 1; }));
  EXPECT_EQ(daemon().stat("/sessions/closed/fault"), 1U);

  ControlClient greedy = daemon().connect();
  try {
    greedy.send(std::string(most, 'x'));
  } catch (const std::exception&) {
    // It is cut off before all of that is sent.
  }
  EXPECT_TRUE(eventually([&] { return faults("control") == 1; }));
  EXPECT_TRUE(daemon().logged("had an internal error: std::bad_alloc"));

  lasting.send(frames_of(2, 5, 5));
  EXPECT_TRUE(eventually([&] { return control.call("depth").at("frames") == 20; }));
  stop();  // what is left of those sessions does not hold it up
}

TEST_F(Overflow, DropNewestKeepsTheOldestFrames) {
  start(small_buffer("drop_newest"));
  send_whole(daemon().port(), frames_of(1, 0, 250));
  const Json stats = daemon().call("stats");
  EXPECT_EQ(stats.at("ledger").at("dropped").at("buffer_full_newest"), 150);
  EXPECT_TRUE(balanced(stats));
  const Json entry = satellite(daemon().call("satellites"), 1);
  EXPECT_EQ(entry.at("dropped"), 150);
  EXPECT_EQ(entry.at("frames"), 250);
  EXPECT_EQ(entry.at("gaps"), 0) << "they came, all of them";
  EXPECT_EQ(daemon().connect().drain_all(), frames_of(1, 0, 100));
}

TEST_F(Overflow, BufferIsBoundedInOctetsToo) {
  start({{"buffer", {{"max_bytes", 1050}}}});
  send_whole(daemon().port(), frames_of(1, 0, 25, 80));  // 100 octets each
  const Json depth = daemon().call("depth");
  EXPECT_EQ(depth.at("frames"), 10);
  EXPECT_EQ(depth.at("bytes"), 1000);
  EXPECT_EQ(daemon().connect().drain_all(), frames_of(1, 15, 10, 80));
}

TEST_F(Overflow, DropsAreLoggedWithReasonNumberAndSatellite) {
  start(small_buffer("drop_newest"));
  send_whole(daemon().port(), frames_of(77, 0, 250));
  EXPECT_TRUE(eventually([&] {
    return daemon().logged("dropped 150 frames: buffer_full_newest, satellites 77");
  })) << daemon().log();
}

TEST_F(Overflow, DropsAreLoggedAtMostOnceASecond) {
  start(small_buffer("drop_oldest"));
  UplinkClient uplink(daemon().port());
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t sent = 0;
  ASSERT_TRUE(eventually([&] {
    uplink.send(frames_of(1, sent, 200));
    sent += 200;
    return std::chrono::steady_clock::now() - begin > std::chrono::milliseconds(2500);
  }));
  uplink.finish();
  stop();
  std::uint64_t lines = 0;
  std::uint64_t frames = 0;
  for (const std::string& line : test::lines_of(daemon().log())) {
    if (const std::size_t at = line.find("dropped "); at != std::string::npos) {
      if (line.find("buffer_full_oldest") != std::string::npos) {
        ++lines;
        frames += std::stoull(line.substr(at + 8));
      }
    }
  }
  EXPECT_GE(lines, 2U);
  EXPECT_LE(lines, 4U);
  EXPECT_EQ(frames, sent - 100) << "counted always: the lines add up";
}

TEST_F(Overflow, OversizedFrameHoldsUpNoOtherFrame) {
  start({{"buffer", {{"max_bytes", 1000}, {"when_full", "backpressure"}}}});
  UplinkClient uplink(daemon().port());
  uplink.send(frames_of(1, 0, 1, 2000));
  uplink.send(frames_of(1, 1, 5));
  uplink.finish();
  const Json stats = daemon().call("stats");
  EXPECT_EQ(stats.at("ledger").at("buffered"), 5);
  EXPECT_EQ(stats.at("ledger").at("dropped").at("buffer_full_newest"), 1);
  EXPECT_TRUE(balanced(stats));
}

TEST_F(Overflow, BackpressureReachesThePeerAndShowsAsHeld) {
  start({{"buffer", {{"max_frames", 100}, {"when_full", "backpressure"}}},
         {"channel", {{"capacity", 1}}}});
  UplinkClient uplink(daemon().port());
  const std::vector<NativeFrame> frames = frames_of(1, 0, 200'000, 84);
  const std::string octets = encode(frames);
  const std::size_t taken =
      uplink.socket().send_until_blocked(octets, std::chrono::milliseconds(300));
  ASSERT_LT(taken, octets.size()) << "the peer's own send blocks";

  ControlClient control = daemon().connect();
  EXPECT_TRUE(eventually(
      [&] { return control.call("uplinks").at("uplinks").at(0).at("state") == "held"; }));
  const Json stats = control.call("stats");
  EXPECT_EQ(stats.at("ledger").at("received"), 100);
  EXPECT_EQ(stats.at("buffer").at("frames_high_water"), 100);
  EXPECT_EQ(stats.at("channel").at("length"), 1);

  // The rest goes through as it is drained, whole and in order.
  std::size_t sent = taken;
  std::vector<NativeFrame> drained;
  while (sent < octets.size()) {
    sent += uplink.socket().send_until_blocked(std::string_view(octets).substr(sent),
                                               std::chrono::milliseconds(0));
    const auto some = control.drain_all();
    drained.insert(drained.end(), some.begin(), some.end());
  }
  uplink.socket().half_close();
  ASSERT_TRUE(eventually([&] {
    const auto some = control.drain_all();
    drained.insert(drained.end(), some.begin(), some.end());
    return drained.size() >= frames.size();
  }));
  EXPECT_TRUE(drained == frames);
  EXPECT_TRUE(balanced(control.call("stats")));
}

TEST_F(Overflow, HeldUplinkIsNotIdle) {
  start({{"uplinks", {native_listener({{"idle_timeout_s", 1}})}},
         {"buffer", {{"max_frames", 10}, {"when_full", "backpressure"}}},
         {"channel", {{"capacity", 1}}}});
  UplinkClient held(daemon().port());
  ControlClient control = daemon().connect();
  for (std::uint64_t batch = 0; batch < 5; ++batch) {
    send_as_batch(held, control, frames_of(1, batch * 10, 10));
    if (control.call("uplinks").at("uplinks").at(0).at("state") == "held") {
      break;
    }
  }
  ASSERT_EQ(control.call("uplinks").at("uplinks").at(0).at("state"), "held");
  UplinkClient idle(daemon().port());
  ASSERT_TRUE(eventually([&] { return daemon().stat("/sessions/closed/idle_timeout") == 1; }));
  EXPECT_EQ(idle.socket().wait_closed(), "");
  EXPECT_EQ(control.call("uplinks").at("uplinks").size(), 1U) << "the silence was the daemon's";
}

TEST_F(Overflow, FlushLetsHeldUplinksGoOn) {
  start({{"buffer", {{"max_frames", 100}, {"when_full", "backpressure"}}},
         {"channel", {{"capacity", 1}}}});
  UplinkClient uplink(daemon().port());
  uplink.send(frames_of(1, 0, 5000));
  uplink.socket().half_close();
  std::uint64_t discarded = 0;
  ControlClient control = daemon().connect();
  EXPECT_TRUE(eventually([&] {
    discarded += control.call("flush").at("discarded").get<std::uint64_t>();
    return discarded == 5000;
  })) << discarded;
  const Json stats = control.call("stats");
  EXPECT_EQ(stats.at("ledger").at("flushed"), 5000);
  EXPECT_TRUE(balanced(stats));
  EXPECT_EQ(uplink.socket().read_to_end(), "");
}

class ChannelFull : public Overflow {
 protected:
  void start_dropping() {
    start({{"uplinks", {native_listener({{"when_channel_full", "drop"}})}},
           {"buffer", {{"max_frames", 100}, {"when_full", "backpressure"}}},
           {"channel", {{"capacity", 2}}}});
  }
  static constexpr std::uint64_t batch = 10;
  static constexpr std::uint64_t waiting_at_most = 3 * batch;  // one held, two in the channel
};

TEST_F(ChannelFull, DropsAreCountedAtOnceAndPerSatellite) {
  start_dropping();
  UplinkClient first(daemon().port());
  UplinkClient second(daemon().port());
  ControlClient control = daemon().connect();
  for (std::uint64_t begin = 0; begin < 500; begin += batch) {
    send_as_batch(first, control, frames_of(1, begin, batch));
    send_as_batch(second, control, frames_of(2, begin, batch));
  }
  Json stats;
  ASSERT_TRUE(eventually([&] {
    stats = control.call("stats");
    return stats.at("ledger").at("received").get<std::uint64_t>() + waiting_at_most >= 1000;
  })) << "a full buffer must not keep drops from being counted: "
      << stats;
  const auto dropped = stats.at("ledger").at("dropped").at("channel_full").get<std::uint64_t>();
  EXPECT_EQ(stats.at("ledger").at("received").get<std::uint64_t>(), 100 + dropped);
  EXPECT_TRUE(balanced(stats));

  const Json satellites = control.call("satellites");
  EXPECT_EQ(satellite(satellites, 1).at("dropped").get<std::uint64_t>() +
                satellite(satellites, 2).at("dropped").get<std::uint64_t>(),
            dropped);
  EXPECT_GT(satellite(satellites, 1).at("dropped"), 0);
  EXPECT_GT(satellite(satellites, 2).at("dropped"), 0);

  const std::size_t drained = control.drain_all().size();
  stats = control.call("stats");
  EXPECT_EQ(stats.at("ledger").at("received"), 1000);
  EXPECT_EQ(stats.at("ledger").at("dropped").at("channel_full"), dropped);
  EXPECT_EQ(drained + dropped, 1000U);
  EXPECT_TRUE(balanced(stats));
}

TEST_F(ChannelFull, DropsAreNotGaps) {
  start_dropping();
  UplinkClient uplink(daemon().port());
  ControlClient control = daemon().connect();
  std::uint64_t sent = 0;
  std::size_t drained = 0;
  // Several rounds: a row of drops, then room again.
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 30; ++i) {
      send_as_batch(uplink, control, frames_of(1, sent, batch));
      sent += batch;
    }
    drained += control.drain_all().size();
  }
  send_as_batch(uplink, control, frames_of(1, sent, batch));
  sent += batch;
  uplink.finish();
  drained += control.drain_all().size();

  const Json entry = satellite(control.call("satellites"), 1);
  EXPECT_EQ(entry.at("frames"), sent);
  EXPECT_EQ(entry.at("last_sequence"), sent - 1);
  EXPECT_EQ(entry.at("gaps"), 0);
  EXPECT_EQ(entry.at("missing"), 0);
  EXPECT_EQ(entry.at("duplicates"), 0);
  EXPECT_EQ(entry.at("late"), 0);
  EXPECT_EQ(entry.at("dropped").get<std::uint64_t>() + drained, sent);
}

TEST_F(ChannelFull, LossByThePeerIsStillAGap) {
  start_dropping();
  UplinkClient uplink(daemon().port());
  ControlClient control = daemon().connect();
  for (std::uint64_t begin = 0; begin < 300; begin += batch) {
    send_as_batch(uplink, control, frames_of(1, begin, batch));
  }
  std::ignore = control.drain_all();
  uplink.send(frames_of(1, 305, batch));  // 300 to 304 never came
  uplink.finish();
  const Json entry = satellite(control.call("satellites"), 1);
  EXPECT_EQ(entry.at("gaps"), 1);
  EXPECT_EQ(entry.at("missing"), 5);
}

TEST_F(Overflow, ExhaustedDescriptorsPauseOnlyTheUplinkAccepts) {
  if (test::sanitizers.find("undefined") != std::string_view::npos) {
    GTEST_SKIP() << "its check of vptrs needs file descriptors too, and fails without";
  }
  start();
  UplinkClient uplink(daemon().port());
  uplink.send(frames_of(1, 0, 10));
  ControlClient control = daemon().connect();
  ASSERT_TRUE(eventually([&] { return control.call("depth").at("frames") == 10; }));
  ASSERT_TRUE(eventually([&] { return control.call("stats")["control"]["clients"] == 1; }))
      << "the client that asked at the start is gone";
  const std::size_t open = daemon().process().open_files();
  // A quarter of all is kept from uplinks: three more of them find room.
  daemon().process().limit_open_files((open + 3) * 4 / 3 + 1);

  std::vector<UplinkClient> crowd;
  for (std::uint32_t i = 0; i < 12; ++i) {
    crowd.emplace_back(daemon().port()).send(frames_of(100 + i, 0, 5));
  }
  const auto logged = [&](const char* text) {
    return eventually([&] { return daemon().logged(text); });
  };
  ASSERT_TRUE(logged(
      "uplink listener \"native\" cannot accept: the only file descriptors left are reserved"));
  EXPECT_TRUE(daemon().call("depth").contains("frames")) << "an operator is let in";

  const std::chrono::milliseconds cpu_before = daemon().process().cpu_time();
  std::this_thread::sleep_for(std::chrono::seconds(1));  // a second to measure
  EXPECT_LT(daemon().process().cpu_time() - cpu_before, std::chrono::milliseconds(300))
      << "accept must not spin";

  const auto before = control.call("depth").at("frames").get<std::uint64_t>();
  uplink.send(frames_of(1, 10, 10));
  EXPECT_TRUE(eventually([&] { return control.call("depth").at("frames") == before + 10; }))
      << "who is connected goes on";

  for (UplinkClient& each : crowd) {
    each.socket().half_close();  // the first make room for the last
  }
  EXPECT_TRUE(eventually([&] { return control.call("depth").at("frames") == 20 + 12 * 5; }));
}

}  // namespace
}  // namespace meridian::test
