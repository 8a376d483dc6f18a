// meridian-sim against a real daemon.
#include "integration/harness/daemon.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include <signal.h>

namespace meridian::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

class MeridianSim : public DaemonTest {
 protected:
  std::vector<std::string> command(std::vector<std::string> options,
                                   const char* listener = "native") {
    options.insert(options.begin(), {test::meridian_sim, "--connect",
                                     fmt::format("127.0.0.1:{}", daemon().port(listener))});
    return options;
  }
  Finished simulate(const std::vector<std::string>& options, const char* listener = "native") {
    return test::run(command(options, listener));
  }
  std::vector<NativeFrame> drain_all() { return daemon().connect().drain_all(); }
};

TEST_F(MeridianSim, SendsNumberedFramesOfASatelliteEachUplink) {
  start();
  const Finished finished = simulate({"--uplinks", "3", "--frames", "500"});
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_EQ(finished.err, "") << "no progress where there is no terminal";
  EXPECT_THAT(finished.out, AllOf(HasSubstr("sent 1,500 frames"), HasSubstr("by 3 uplinks"),
                                  HasSubstr("rate: "), HasSubstr("held back: ")));
  std::map<std::uint32_t, std::uint64_t> next;
  for (const NativeFrame& frame : drain_all()) {
    EXPECT_EQ(frame.sequence, next[frame.satellite_id]++);
    EXPECT_EQ(frame.payload.size(), 64U) << "the default";
  }
  EXPECT_EQ(next, (std::map<std::uint32_t, std::uint64_t>{{1, 500}, {2, 500}, {3, 500}}));
}

TEST_F(MeridianSim, HasFortyEightUplinksUnlessToldOtherwise) {
  start();
  EXPECT_EQ(simulate({"--frames", "10"}).status, 0);
  EXPECT_EQ(daemon().stat("/sessions/accepted"), 48U);
  EXPECT_EQ(daemon().stat("/ledger/received"), 480U);
  EXPECT_EQ(daemon().stat("/sessions/closed/end_of_stream"), 48U);
}

TEST_F(MeridianSim, ResultIsThereForProgramsToo) {
  start();
  const Json result = Json::parse(simulate({"--json", "--uplinks", "2", "--frames", "100"}).out);
  EXPECT_EQ(result.at("frames"), 200);
  EXPECT_EQ(result.at("bytes"), 200 * 84);
  EXPECT_EQ(result.at("uplinks"), 2);
  EXPECT_TRUE(result.at("failures").empty());
  for (const char* key : {"seconds", "frames_per_s", "bytes_per_s", "held_s"}) {
    EXPECT_TRUE(result.at(key).is_number()) << key;
  }
}

TEST_F(MeridianSim, PayloadSizesAreWithinTheirRange) {
  start();
  ASSERT_EQ(simulate({"--uplinks", "1", "--frames", "1000", "--payload-bytes", "10:20"}).status, 0);
  std::set<std::size_t> sizes;
  for (const NativeFrame& frame : drain_all()) {
    sizes.insert(frame.payload.size());
  }
  EXPECT_EQ(sizes.size(), 11U) << "each of them";
  EXPECT_EQ(*sizes.begin(), 10U);
  EXPECT_EQ(*sizes.rbegin(), 20U);

  ASSERT_EQ(simulate({"--uplinks", "1", "--frames", "5", "--payload-bytes", "0"}).status, 0);
  EXPECT_EQ(daemon().call("depth").at("bytes"), 5 * 20);
}

TEST_F(MeridianSim, SameSeedMakesTheSamePayloads) {
  start();
  const auto sent_with = [this](const char* seed) {
    EXPECT_EQ(simulate({"--uplinks", "1", "--frames", "50", "--seed", seed}).status, 0);
    return drain_all();
  };
  const std::vector<NativeFrame> first = sent_with("7");
  EXPECT_EQ(first, sent_with("7"));
  EXPECT_NE(first, sent_with("8"));
}

TEST_F(MeridianSim, SpacePacketsHaveSeveralApidsAndRollOver) {
  start({{"buffer", {{"max_frames", 10}}}});
  const std::uint64_t packets = 4 * 20'000;  // 16,384 is where a count begins anew
  const Finished finished = simulate({"--framing", "ccsds_space_packet", "--uplinks", "1",
                                      "--frames", std::to_string(packets), "--payload-bytes", "4"},
                                     "packets");
  ASSERT_EQ(finished.status, 0) << finished.err;
  const Json satellites = daemon().call("satellites").at("satellites");
  EXPECT_GT(satellites.size(), 1U);
  std::uint64_t frames = 0;
  for (const Json& entry : satellites) {
    frames += entry.at("frames").get<std::uint64_t>();
    EXPECT_EQ(entry.at("satellite_id"), 7);
    EXPECT_EQ(entry.at("gaps"), 0);
    EXPECT_EQ(entry.at("missing"), 0);
    EXPECT_EQ(entry.at("duplicates"), 0);
    EXPECT_EQ(entry.at("late"), 0);
    EXPECT_GT(entry.at("frames"), 16'384);
    EXPECT_LT(entry.at("last_sequence"), 16'384);
  }
  EXPECT_EQ(frames, packets);
}

TEST_F(MeridianSim, SpacePacketsOfManyUplinksDoNotMix) {
  start();
  const Finished finished = simulate(
      {"--framing", "ccsds_space_packet", "--uplinks", "48", "--frames", "400"}, "packets");
  ASSERT_EQ(finished.status, 0) << finished.err;
  const Json satellites = daemon().call("satellites");
  for (const Json& entry : satellites.at("satellites")) {
    EXPECT_EQ(entry.at("gaps").get<std::uint64_t>() + entry.at("duplicates").get<std::uint64_t>() +
                  entry.at("late").get<std::uint64_t>(),
              0U)
        << entry;
  }
}

std::string packets_of_a_file() {
  std::string octets;
  for (std::uint16_t count = 0; count < 200; ++count) {
    octets += encode(SpacePacket{.apid = static_cast<std::uint16_t>(count % 3 + 1),
                                 .count = static_cast<std::uint16_t>(count / 3),
                                 .data = std::string(count + 1U, static_cast<char>(count))});
  }
  return octets;
}

TEST_F(MeridianSim, ReplaysAFileOncePacketByPacket) {
  start();
  const std::string octets = packets_of_a_file();
  const Finished finished = simulate(
      {"--replay", directory().write("some.tlm", octets), "--framing", "ccsds_space_packet"},
      "packets");
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_EQ(daemon().stat("/sessions/accepted"), 1U) << "one uplink is the default here";
  std::string received;
  for (const NativeFrame& frame : drain_all()) {
    received += frame.payload;
  }
  EXPECT_EQ(received, octets);
}

TEST_F(MeridianSim, RefusesFilesThatAreNotSpacePackets) {
  start();
  const std::string octets = packets_of_a_file();
  const std::string text = directory().write("text.tlm", "this is no telemetry at all, is it?");
  const std::string cut_off =
      directory().write("cut.tlm", std::string_view(octets).substr(0, octets.size() - 1));
  const std::string empty = directory().write("empty.tlm", "");
  for (const std::string& file :
       {text, cut_off, empty, directory().file("missing.tlm"), directory().path().string()}) {
    const Finished finished =
        simulate({"--replay", file, "--framing", "ccsds_space_packet"}, "packets");
    EXPECT_EQ(finished.status, 1) << file;
    EXPECT_THAT(finished.err, HasSubstr(file));
  }
  EXPECT_EQ(daemon().call("depth").at("frames"), 0);
}

TEST_F(MeridianSim, KeepsToItsRate) {
  start();
  const Json result =
      Json::parse(simulate({"--json", "--uplinks", "2", "--frames", "100", "--rate", "200"}).out);
  EXPECT_EQ(result.at("frames"), 200);
  EXPECT_GE(result.at("seconds"), 0.45) << "100 frames at 200 a second";
  EXPECT_LT(result.at("seconds"), 0.45 * 4 * static_cast<double>(test::slowdown));
}

TEST_F(MeridianSim, StopsAfterItsDurationWithSuccess) {
  start();
  const Finished finished =
      simulate({"--json", "--uplinks", "2", "--rate", "100", "--duration", "0.5"});
  EXPECT_EQ(finished.status, 0);
  const Json result = Json::parse(finished.out);
  EXPECT_GE(result.at("seconds"), 0.5);
  EXPECT_LT(result.at("seconds"), 5);
  EXPECT_GE(result.at("frames"), 50);
  EXPECT_LE(result.at("frames"), 2 * 60);
  EXPECT_EQ(daemon().stat("/ledger/received"), result.at("frames"));
}

TEST_F(MeridianSim, SecondRunIsNotAGap) {
  start();
  // Sequences begin anew with each run, which is seen; nothing is missing.
  ASSERT_EQ(simulate({"--uplinks", "2", "--frames", "100"}).status, 0);
  ASSERT_EQ(simulate({"--uplinks", "2", "--frames", "200"}).status, 0);
  for (const std::uint64_t id : {1U, 2U}) {
    const Json entry = satellite(daemon().call("satellites"), id);
    EXPECT_EQ(entry.at("frames"), 300);
    EXPECT_EQ(entry.at("gaps"), 0);
    EXPECT_EQ(entry.at("missing"), 0);
    EXPECT_EQ(entry.at("last_sequence"), 199);
    EXPECT_EQ(entry.at("resets"), 1);
    EXPECT_EQ(entry.at("late").get<int>() + entry.at("duplicates").get<int>(), 0);
  }
}

class InterruptedSim : public MeridianSim, public testing::WithParamInterface<int> {};

TEST_P(InterruptedSim, StopsAtOnceAndReportsUnsentFrames) {
  start();
  ChildProcess sim(command({"--uplinks", "4", "--frames", "1000000", "--rate", "50"}));
  ASSERT_TRUE(eventually([&] { return daemon().stat("/ledger/received") > 0; }));
  sim.signal(GetParam());
  EXPECT_EQ(sim.wait(at_most(5s)), 1);
  EXPECT_THAT(sim.out(), HasSubstr("sent "));
  EXPECT_THAT(sim.err(),
              AllOf(HasSubstr("4 of 4 uplinks"), HasSubstr("stopped before everything was sent")));
  EXPECT_TRUE(eventually([&] { return daemon().stat("/sessions/open") == 0; }));
}

TEST_P(InterruptedSim, StopsWhileItIsHeldBack) {
  start({{"buffer", {{"max_frames", 10}, {"when_full", "backpressure"}}},
         {"channel", {{"capacity", 1}}}});
  ChildProcess sim(command({"--uplinks", "4", "--frames", "100000000"}));
  const auto all_held = [this] {
    const Json open = daemon().call("uplinks").at("uplinks");
    return open.size() == 4 &&
           std::ranges::all_of(open, [](const Json& one) { return one.at("state") == "held"; });
  };
  ASSERT_TRUE(eventually(all_held));
  sim.signal(GetParam());
  EXPECT_EQ(sim.wait(at_most(5s)), 1);
}

INSTANTIATE_TEST_SUITE_P(Signals, InterruptedSim, testing::Values(SIGINT, SIGTERM),
                         [](const auto& each) { return each.param == SIGINT ? "INT" : "TERM"; });

TEST_F(MeridianSim, EndsAfterItsDurationEvenWhenHeldBack) {
  start({{"buffer", {{"max_frames", 10}, {"when_full", "backpressure"}}},
         {"channel", {{"capacity", 1}}}});
  for (const std::string rate : {"0", "1000"}) {
    const Finished finished = simulate({"--uplinks", "2", "--duration", "0.2", "--rate", rate});
    EXPECT_EQ(finished.status, 1);
    EXPECT_THAT(finished.err, HasSubstr("held back when the time was up"));
  }
}

TEST_F(MeridianSim, FailsWhereItsResultCannotBeWritten) {
  start();
  const Finished finished =
      test::run({"/bin/sh", "-c",
                 fmt::format("exec {} --connect 127.0.0.1:{} --frames 10 > /dev/full",
                             test::meridian_sim, daemon().port())});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, HasSubstr("standard output"));
}

TEST(MeridianSimAlone, RefusesPayloadsThatNoSpacePacketHas) {
  for (const std::string bytes : {"0", "65537"}) {
    const Finished finished = test::run(
        {test::meridian_sim, "--framing", "ccsds_space_packet", "--payload-bytes", bytes});
    EXPECT_EQ(finished.status, 1);
    EXPECT_THAT(finished.err, AllOf(HasSubstr("--payload-bytes"), HasSubstr("1 to 65536")));
  }
}

TEST_F(MeridianSim, FailsWhereTheDaemonRefusesItsFrames) {
  start({{"uplinks", {test::native_listener({{"max_payload_bytes", 32}})}}});
  const Finished finished = simulate({"--uplinks", "2", "--frames", "10"});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, HasSubstr("meridian-sim: failed: 2 of 2 uplinks"));
  EXPECT_THAT(finished.out, testing::Not(HasSubstr("failed")));
}

TEST_F(MeridianSim, FailsClearlyWhereNothingListens) {
  start();
  const std::string address = fmt::format("127.0.0.1:{}", daemon().port());
  stop();
  const Finished finished = test::run({test::meridian_sim, "--connect", address, "--uplinks", "3"});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, AllOf(HasSubstr("3 of 3 uplinks"), HasSubstr(address),
                                  HasSubstr("Connection refused")));
}

TEST(MeridianSimAlone, RefusesWrongArguments) {
  const std::vector<std::vector<std::string>> wrong = {
      {"--connect", "nowhere"}, {"--connect", ":1"},          {"--uplinks", "0"},
      {"--rate", "-1"},         {"--payload-bytes", "20:10"}, {"--payload-bytes", "many"},
      {"--duration", "0"},      {"--framing", "hdlc"},        {"--replay", "/dev/null"},
      {"--frames", "-5"},       {"--rate", "1e300"},          {"--rate", "nan"},
      {"--duration", "nan"},    {"--connect", "h:82936"},     {"--framing", "1"},
      {"--replay", ""}};
  for (std::vector<std::string> arguments : wrong) {
    arguments.insert(arguments.begin(), test::meridian_sim);
    const Finished finished = test::run(arguments);
    EXPECT_NE(finished.status, 0) << arguments[1] << " " << arguments[2];
    EXPECT_THAT(finished.err, HasSubstr(arguments[1])) << finished.err;
  }
}

}  // namespace
}  // namespace meridian::test
