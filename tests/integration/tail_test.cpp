// Watching frames as they come, by the control socket and by meridianctl.
#include "integration/harness/daemon.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace meridian::test {
namespace {

using testing::HasSubstr;

class TailMethod : public DaemonTest {
 protected:
  /// A client that watches from now on.
  ControlClient watch(const Json& params = Json::object()) {
    ControlClient client = daemon().connect();
    client.send_line(rpc("tail", params, 9));
    EXPECT_EQ(client.read_json().at("method"), "tail");
    return client;
  }

  /// Reads messages until `count` frames have come. Returns their sequences.
  static std::vector<std::uint64_t> read_frames(ControlClient& client, std::size_t count) {
    std::vector<std::uint64_t> sequences;
    while (sequences.size() < count) {
      const Json params = client.read_json().at("params");
      EXPECT_EQ(params.at("lost"), 0);
      for (const Json& frame : params.at("frames")) {
        sequences.push_back(frame.at("sequence").get<std::uint64_t>());
      }
    }
    return sequences;
  }

  std::uint64_t watchers() { return daemon().call("stats").at("tails").at("watchers"); }
};

TEST_F(TailMethod, ShowsFramesAndLeavesThemInTheBuffer) {
  start();
  send_whole(daemon().port(), frames_of(1, 0, 5));
  ControlClient client = watch();
  send_whole(daemon().port(), frames_of(1, 5, 3));
  EXPECT_EQ(read_frames(client, 3), (std::vector<std::uint64_t>{5, 6, 7}));
  EXPECT_EQ(daemon().stat("/buffer/frames"), 8U);
  EXPECT_EQ(daemon().stat("/ledger/drained"), 0U);
}

TEST_F(TailMethod, RowsAreThoseOfADrain) {
  start();
  ControlClient client = watch();
  send_whole(daemon().port(), {{.satellite_id = 42,
                                .channel_id = 7,
                                .flags = 1,
                                .sequence = 1ULL << 63,
                                .payload = "payload"}});
  const Json shown = client.read_json().at("params").at("frames");
  EXPECT_EQ(shown, daemon().call("drain").at("frames"));
}

TEST_F(TailMethod, ShowsOnlyASatelliteAndAChannel) {
  start();
  ControlClient client = watch({{"satellite_id", 2}, {"channel_id", 3}});
  for (const auto& [satellite, channel, sequence] :
       {std::tuple{1U, 3U, 10U}, {2U, 2U, 20U}, {2U, 3U, 30U}}) {
    send_whole(daemon().port(), {{.satellite_id = satellite,
                                  .channel_id = static_cast<std::uint16_t>(channel),
                                  .sequence = sequence}});
  }
  EXPECT_EQ(read_frames(client, 1), (std::vector<std::uint64_t>{30}));
}

TEST_F(TailMethod, EndsAtItsLimitAndLeavesTheClient) {
  start();
  ControlClient client = watch({{"limit", 4}});
  send_whole(daemon().port(), frames_of(1, 0, 10, 8));
  EXPECT_EQ(read_frames(client, 4), (std::vector<std::uint64_t>{0, 1, 2, 3}));
  const Json answer = client.read_json();
  EXPECT_EQ(answer.at("id"), 9);
  EXPECT_EQ(answer.at("result"), (Json{{"frames", 4}, {"bytes", 4 * 28}, {"lost", 0}}));
  EXPECT_EQ(client.call("depth").at("frames"), 10);
  EXPECT_EQ(watchers(), 0U);
}

TEST_F(TailMethod, GivesOctetsInBinary) {
  start();
  ControlClient client = daemon().connect();
  client.send_line(rpc("tail", {{"format", "binary"}, {"limit", 3}, {"satellite_id", 5}}));
  EXPECT_EQ(client.read_json().at("params"), (Json{{"frames", 0}, {"bytes", 0}, {"lost", 0}}));
  const std::vector<NativeFrame> wanted = frames_of(5, 0, 3, 100);
  send_whole(daemon().port(), encode(frames_of(4, 0, 2)) + encode(wanted));
  std::string octets;
  while (octets.size() < encode(wanted).size()) {
    const Json params = client.read_json().at("params");
    octets += client.read_octets(params.at("bytes").get<std::size_t>());
  }
  EXPECT_EQ(decode_native(octets), wanted);
  EXPECT_EQ(client.read_json().at("result").at("frames"), 3);
}

TEST_F(TailMethod, IsAPlainWordToo) {
  start();
  ControlClient client = daemon().connect();
  client.send_line("tail");
  EXPECT_EQ(client.read_line(), R"({"frames":[],"lost":0})");
  client.socket().half_close();  // as `echo tail | socat` does
  send_whole(daemon().port(), frames_of(1, 7, 1));
  EXPECT_EQ(client.read_json().at("frames").at(0).at("sequence"), 7);
}

TEST_F(TailMethod, WithoutAnIdIsNotCarriedOut) {
  start();
  ControlClient client = daemon().connect();
  client.send_line(R"({"jsonrpc":"2.0","method":"tail"})");
  EXPECT_TRUE(client.call("depth").contains("frames")) << "and the next request is answered";
}

TEST_F(TailMethod, EndsWithItsClientAlthoughNothingComes) {
  start();
  {
    const ControlClient client = watch();
    EXPECT_EQ(watchers(), 1U);
  }
  EXPECT_TRUE(eventually([this] { return watchers() == 0; }));
  EXPECT_TRUE(eventually([this] { return daemon().stat("/control/clients") == 1; }));
}

TEST_F(TailMethod, EndsWithAClientThatHasNotRead) {
  start();
  {
    const ControlClient client = watch({{"format", "binary"}});
    for (std::uint64_t begin = 0; daemon().call("stats").at("tails").at("lost") == 0;
         begin += 1000) {
      send_whole(daemon().port(), frames_of(1, begin, 1000, 100));
    }
  }
  EXPECT_TRUE(eventually([this] { return daemon().stat("/control/clients") == 1; }));
  EXPECT_EQ(watchers(), 0U);
}

TEST_F(TailMethod, EndsWithTheDaemon) {
  start();
  ControlClient client = watch();
  stop();
  // The answer comes if it is faster than the daemon's end.
  const std::string rest = client.socket().wait_closed();
  if (!rest.empty()) {
    EXPECT_EQ(error_code_of(Json::parse(rest)), -32002) << rest;
  }
}

TEST_F(TailMethod, ThatIsNotReadLosesAndCountsFrames) {
  start({{"buffer", {{"max_bytes", 200'000}}}});
  ControlClient slow = watch();
  const std::size_t count = 20'000;
  const std::size_t each = 1000;
  for (std::size_t begin = 0; begin < count; begin += each) {
    send_whole(daemon().port(), frames_of(1, begin, each, 100));
  }
  const std::uint64_t lost_by_now = daemon().call("stats").at("tails").at("lost");
  EXPECT_GT(lost_by_now, 0U) << "nobody has read";
  EXPECT_EQ(daemon().stat("/ledger/received"), count) << "no uplink waited";

  std::uint64_t shown = 0;
  std::uint64_t lost = 0;
  std::uint64_t next = 0;
  while (shown + lost < count) {
    const Json params = slow.read_json().at("params");
    for (const Json& frame : params.at("frames")) {
      EXPECT_EQ(frame.at("sequence"), next) << "losses are told where they are";
      ++next;
      ++shown;
    }
    lost += params.at("lost").get<std::uint64_t>();
    next += params.at("lost").get<std::uint64_t>();
  }
  EXPECT_EQ(shown + lost, count);
  EXPECT_EQ(lost, daemon().call("stats").at("tails").at("lost").get<std::uint64_t>());
}

class MeridianctlTail : public DaemonTest {
 protected:
  ChildProcess tail(ChildProcess::Arguments arguments) {
    arguments.insert(arguments.begin(), {test::meridianctl, "--socket", daemon().socket(), "tail"});
    ChildProcess process(arguments);
    EXPECT_TRUE(
        eventually([this] { return daemon().call("stats").at("tails").at("watchers") == 1; }));
    return process;
  }
};

TEST_F(MeridianctlTail, PrintsOneTable) {
  start();
  ChildProcess process = tail({"--max", "4"});
  send_whole(daemon().port(), frames_of(7, 0, 2, 16));
  ASSERT_TRUE(eventually([&] { return lines_of(process.out()).size() == 3; }));
  send_whole(daemon().port(), frames_of(7, 2, 2, 16));
  EXPECT_EQ(process.wait(), 0);
  const auto lines = lines_of(process.out());
  ASSERT_EQ(lines.size(), 5U) << process.out();
  EXPECT_THAT(lines[0], HasSubstr("SATELLITE"));
  EXPECT_THAT(lines[4], testing::ContainsRegex("7 +0 +3 +no +20[0-9-]+T[0-9:.]+Z +16"));
  EXPECT_EQ(process.err(), "watched 4 frames\n");
}

TEST_F(MeridianctlTail, PrintsLinesOfJsonOfOneChannel) {
  start();
  ChildProcess process =
      tail({"--satellite", "7", "--channel", "2", "--max", "1", "--format", "ndjson"});
  send_whole(daemon().port(), {{.satellite_id = 7, .channel_id = 1, .sequence = 1},
                               {.satellite_id = 7, .channel_id = 2, .sequence = 2}});
  EXPECT_EQ(process.wait(), 0);
  ASSERT_EQ(lines_of(process.out()).size(), 1U);
  EXPECT_EQ(Json::parse(process.out()).at("sequence"), 2);
}

TEST_F(MeridianctlTail, WritesBinaryIntoAFile) {
  start();
  const std::string file = (directory().path() / "out").string();
  ChildProcess process = tail({"--max", "3", "--format", "binary", "--output", file});
  send_whole(daemon().port(), frames_of(7, 0, 3, 50));
  EXPECT_EQ(process.wait(), 0);
  EXPECT_EQ(decode_native(read_file(file)), frames_of(7, 0, 3, 50));
}

TEST_F(MeridianctlTail, FailsWhereTheDaemonStops) {
  start();
  ChildProcess process = tail({});
  stop();
  EXPECT_EQ(process.wait(), 1);
  EXPECT_THAT(process.err(), HasSubstr("meridianctl: "));
}

}  // namespace
}  // namespace meridian::test
