// The acceptance of the main job, with the real programs: meridiand, meridian-sim, meridianctl.
#include "integration/harness/daemon.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <regex>

#include <signal.h>

namespace meridian::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t uplinks = 48;

ChildProcess simulate(const Daemon& daemon, std::vector<std::string> options) {
  options.insert(options.begin(), {test::meridian_sim, "--json", "--connect",
                                   fmt::format("127.0.0.1:{}", daemon.port()), "--uplinks",
                                   std::to_string(uplinks)});
  return ChildProcess(options);
}

/// Checks that each satellite's sequence is complete and in order, while it comes.
class Sequences {
 public:
  void check(std::string_view octets) {
    test::for_each_native(octets, [this](std::uint32_t id, std::uint64_t sequence, std::size_t) {
      ++frames_;
      std::uint64_t& next = next_[id];
      if (sequence != next) {
        ++faults_;
      }
      next = sequence + 1;
    });
  }
  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
  [[nodiscard]] std::uint64_t faults() const noexcept { return faults_; }
  [[nodiscard]] const std::map<std::uint32_t, std::uint64_t>& next() const noexcept {
    return next_;
  }

 private:
  std::map<std::uint32_t, std::uint64_t> next_;
  std::uint64_t frames_ = 0;
  std::uint64_t faults_ = 0;
};

class Acceptance : public DaemonTest {
 protected:
  /// Drains to a file with meridianctl, checks the ledger all the while, and returns the octets.
  std::string drain_to_file(ControlClient& watcher) {
    const std::string file = directory().file("frames");
    ChildProcess drain({test::meridianctl, "--socket", daemon().socket(), "drain", "--all",
                        "--format", "binary", "--force", "--output", file});
    while (drain.running()) {
      EXPECT_TRUE(balanced(watcher.call("stats")));
    }
    EXPECT_EQ(drain.wait(), 0) << drain.err();
    return test::read_file(file);
  }
};

TEST_F(Acceptance, BackpressureEndToEndLosesNothing) {
  start({{"buffer", {{"max_frames", 500'000}, {"when_full", "backpressure"}}}});
  const std::uint64_t each = scaled(100'000);
  ChildProcess sim =
      simulate(daemon(), {"--frames", std::to_string(each), "--payload-bytes", "16"});
  ControlClient watcher = daemon().connect();
  Sequences seen;
  ASSERT_TRUE(eventually(
      [&] {
        seen.check(drain_to_file(watcher));
        return seen.frames() >= uplinks * each;
      },
      at_most(90s)))
      << seen.frames();
  EXPECT_EQ(sim.wait(), 0) << sim.out() << sim.err();

  EXPECT_EQ(seen.frames(), uplinks * each);
  EXPECT_EQ(seen.faults(), 0U);
  ASSERT_EQ(seen.next().size(), uplinks);
  for (const auto& [id, next] : seen.next()) {
    EXPECT_EQ(next, each) << "satellite " << id;
  }
  const Json stats = watcher.call("stats");
  EXPECT_TRUE(balanced(stats));
  EXPECT_EQ(stats.at("ledger").at("drained"), uplinks * each);
  EXPECT_EQ(stats.at("ledger").at("buffered"), 0);
  const Json satellites = watcher.call("satellites");
  for (const Json& entry : satellites.at("satellites")) {
    EXPECT_EQ(entry.at("frames"), each);
    EXPECT_EQ(entry.at("gaps"), 0);
    EXPECT_EQ(entry.at("duplicates"), 0);
    EXPECT_EQ(entry.at("late"), 0);
  }
}

TEST_F(Acceptance, DropOldestKeepsTheNewestThousand) {
  start({{"buffer", {{"max_frames", 1000}, {"when_full", "drop_oldest"}}}});
  const std::uint64_t each = 10'000;
  ChildProcess sim = simulate(daemon(), {"--frames", std::to_string(each)});
  ASSERT_EQ(sim.wait(at_most(60s)), 0) << sim.out() << sim.err();

  ControlClient control = daemon().connect();
  EXPECT_EQ(control.call("depth").at("frames"), 1000);
  const Json stats = control.call("stats");
  EXPECT_TRUE(balanced(stats));
  EXPECT_EQ(stats.at("ledger").at("received"), uplinks * each);
  EXPECT_EQ(stats.at("ledger").at("dropped").at("buffer_full_oldest"), uplinks * each - 1000);
  EXPECT_EQ(stats.at("buffer").at("frames_high_water"), 1000) << "never above its bound";

  // What is kept of a satellite is the end of its sequence, in order.
  std::map<std::uint32_t, std::vector<std::uint64_t>> kept;
  for (const NativeFrame& frame : control.drain_all()) {
    kept[frame.satellite_id].push_back(frame.sequence);
  }
  std::uint64_t dropped = 0;
  for (std::uint32_t id = 1; id <= uplinks; ++id) {
    std::vector<std::uint64_t> newest;
    for (std::uint64_t sequence = each - kept[id].size(); sequence < each; ++sequence) {
      newest.push_back(sequence);
    }
    EXPECT_EQ(kept[id], newest) << "satellite " << id;
    const Json entry = satellite(control.call("satellites"), id);
    EXPECT_EQ(entry.at("frames"), each);
    EXPECT_EQ(entry.at("dropped"), each - kept[id].size());
    EXPECT_EQ(entry.at("last_sequence"), each - 1);
    dropped += entry.at("dropped").get<std::uint64_t>();
  }
  EXPECT_EQ(dropped, uplinks * each - 1000);
}

TEST_F(Acceptance, BackpressureWithoutADrainStallsOnlyTheSenders) {
  constexpr std::uint64_t room = 1000;
  start({{"buffer", {{"max_frames", room}, {"when_full", "backpressure"}}},
         {"channel", {{"capacity", 8}}}});
  const std::uint64_t each = scaled(50'000);
  const std::size_t memory_before = daemon().process().resident_bytes();
  ChildProcess sim = simulate(daemon(), {"--frames", std::to_string(each)});
  ControlClient control = daemon().connect();
  const auto all_held = [&] {
    const Json open = control.call("uplinks").at("uplinks");
    return open.size() == uplinks &&
           std::ranges::all_of(open, [](const Json& one) { return one.at("state") == "held"; });
  };
  ASSERT_TRUE(eventually(all_held));
  EXPECT_TRUE(sim.running());

  for (int i = 0; i < 200; ++i) {
    const auto asked_at = std::chrono::steady_clock::now();
    ASSERT_EQ(control.call("depth").at("frames"), room);
    ASSERT_LT(std::chrono::steady_clock::now() - asked_at, at_most(100ms));
  }
  EXPECT_EQ(control.call("stats").at("ledger").at("received"), room) << "senders stall";
  if (test::slowdown == 1) {  // a sanitizer's memory is its own
    EXPECT_LT(daemon().process().resident_bytes(), memory_before + 24'000'000)
        << "of " << uplinks * each * 84 << " octets that want in";
  }

  std::uint64_t received = room;
  for (const std::uint64_t count : {1U, 10U, 999U, 1000U, 1U, 500U}) {
    EXPECT_EQ(control.drain_binary({{"max_frames", count}}).result.at("frames"), count);
    received += count;
    ASSERT_TRUE(eventually([&] {
      const Json stats = control.call("stats");
      const auto now = stats.at("ledger").at("received").get<std::uint64_t>();
      EXPECT_LE(now, received) << "more came in than went out";
      EXPECT_LE(stats.at("buffer").at("frames"), room);
      return now == received && stats.at("buffer").at("frames") == room;
    })) << count;
  }
  EXPECT_EQ(control.call("stats").at("buffer").at("frames_high_water"), room);
  ASSERT_TRUE(eventually(all_held));
  EXPECT_EQ(control.call("stats").at("ledger").at("received"), received);

  // Once somebody drains, everything comes.
  std::uint64_t drained = control.call("stats").at("ledger").at("drained").get<std::uint64_t>();
  ASSERT_TRUE(eventually(
      [&] {
        const auto [result, octets] = control.drain_binary({{"max_frames", 1'000'000}});
        drained += result.at("frames").get<std::uint64_t>();
        return drained >= uplinks * each;
      },
      at_most(60s)))
      << drained;
  EXPECT_EQ(drained, uplinks * each);
  EXPECT_EQ(sim.wait(), 0);
}

TEST_F(Acceptance, RealTelemetryPassesUnchangedWithItsKnownGaps) {
  const std::filesystem::path file = test::telemetry_dir() / "cygnss_f7_first101.tlm";
  if (!std::filesystem::exists(file)) {
    GTEST_SKIP() << "there is no " << file << "; set MERIDIAN_TEST_DATA to where it is";
  }
  start();
  const std::string octets = test::read_file(file);
  test::send_whole(daemon().port("packets"), octets);

  ControlClient control = daemon().connect();
  EXPECT_EQ(control.call("depth").at("frames"), 101);
  const Json answer = control.call("satellites");
  EXPECT_EQ(answer.at("satellites").size(), 7U);
  const std::map<std::uint64_t, std::uint64_t> frames = {{384, 4},  {386, 4},  {391, 1}, {392, 4},
                                                         {393, 40}, {394, 39}, {1313, 9}};
  for (const auto& [apid, count] : frames) {
    const bool has_gaps = apid == 384 || apid == 386 || apid == 392;
    const Json entry = satellite(answer, 7, apid);
    EXPECT_EQ(entry.at("frames"), count) << apid;
    EXPECT_EQ(entry.at("gaps"), has_gaps ? 3 : 0) << apid;
    EXPECT_EQ(entry.at("missing"), has_gaps ? 27 : 0) << apid;
    EXPECT_EQ(entry.at("duplicates"), 0) << apid;
    EXPECT_EQ(entry.at("late"), 0) << apid;
  }

  const std::vector<NativeFrame> drained = control.drain_all();
  const std::vector<std::string> packets = test::split_packets(octets);
  ASSERT_EQ(drained.size(), packets.size());
  for (std::size_t i = 0; i < packets.size(); ++i) {
    EXPECT_EQ(drained[i].payload, packets[i]);
    EXPECT_EQ(drained[i].satellite_id, 7U);
    EXPECT_EQ(drained[i].channel_id, test::read_big(packets[i], 0, 2) & 0x7FF);
    EXPECT_EQ(drained[i].sequence, test::read_big(packets[i], 2, 2) & 0x3FFF);
    EXPECT_EQ(drained[i].flags, 0);
  }
  EXPECT_EQ(daemon().stat("/implausible"), 0U);
}

TEST_F(Acceptance, SimulatorReplaysRealTelemetry) {
  const std::filesystem::path file = test::telemetry_dir() / "ssat1_apid035.tlm";
  if (!std::filesystem::exists(file)) {
    GTEST_SKIP() << "there is no " << file << "; set MERIDIAN_TEST_DATA to where it is";
  }
  start();
  const Finished sim =
      test::run({test::meridian_sim, "--replay", file, "--framing", "ccsds_space_packet",
                 "--connect", fmt::format("127.0.0.1:{}", daemon().port("packets"))});
  EXPECT_EQ(sim.status, 0) << sim.err;
  const Json entry = satellite(daemon().call("satellites"), 7, 35);
  EXPECT_EQ(entry.at("frames"), 7200);
  EXPECT_EQ(entry.at("gaps"), 0);
}

class StopUnderLoad : public Acceptance, public testing::WithParamInterface<const char*> {};

TEST_P(StopUnderLoad, IsOrderlyAndSaysWhatRemained) {
  start({{"buffer", {{"max_frames", 100'000}, {"when_full", GetParam()}}},
         {"channel", {{"capacity", 16}}}});
  ChildProcess sim = simulate(daemon(), {"--duration", "600"});
  ControlClient control = daemon().connect();
  control.call("drain", {{"max_frames", 10}});
  ASSERT_TRUE(
      eventually([&] { return control.call("depth").at("frames") == 100'000; }, at_most(30s)));
  const Json before = control.call("stats").at("ledger");

  daemon().process().signal(SIGTERM);
  ASSERT_EQ(daemon().process().wait(at_most(5s)), 0) << daemon().log();

  const std::vector<std::string> lines = test::lines_of(daemon().log());
  const std::regex pattern(R"(stopped: (\d+) frames \((\d+) bytes\) remained; of (\d+) received, )"
                           R"((\d+) were drained, (\d+) flushed, 0 delivered, (\d+) dropped$)");
  std::smatch found;
  ASSERT_TRUE(std::regex_search(lines.back(), found, pattern)) << lines.back();
  std::array<std::uint64_t, 7> number{};
  for (std::size_t i = 1; i < number.size(); ++i) {
    number.at(i) = std::stoull(found[i]);
  }
  const auto [ignored, remained, octets, received, drained, flushed, dropped] = number;
  EXPECT_EQ(received, remained + drained + flushed + dropped) << lines.back();
  EXPECT_GE(received, before.at("received"));
  EXPECT_EQ(drained, before.at("drained"));
  EXPECT_EQ(octets, remained * 84);
  EXPECT_GE(remained, 100'000U);
  if (std::string_view(GetParam()) == "backpressure") {
    EXPECT_EQ(dropped, 0U) << "what waited in the channel was taken, and sessions handed over";
    EXPECT_GT(remained, 100'000U);
  }

  EXPECT_EQ(sim.wait(), 1) << "its work was cut short, and it says so";
  const Json sent = Json::parse(sim.out());
  EXPECT_EQ(sent.at("failures").size(), uplinks);
  EXPECT_LE(received * 84, sent.at("bytes")) << "nothing was made up";
}

INSTANTIATE_TEST_SUITE_P(Policies, StopUnderLoad,
                         testing::Values("drop_oldest", "drop_newest", "backpressure"),
                         [](const auto& each) { return std::string(each.param); });

}  // namespace
}  // namespace meridian::test
