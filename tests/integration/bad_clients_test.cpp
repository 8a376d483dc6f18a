// Control clients that misbehave: cut off or put up with, counted, and never in anybody's way.
#include "integration/harness/daemon.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace meridian::test {
namespace {

using testing::HasSubstr;

class BadClients : public DaemonTest {
 protected:
  std::uint64_t cut_off(const std::string& reason) {
    return daemon().stat("/control/cut_off/" + reason);
  }

  /// Connects until there is a place.
  bool admitted(std::optional<ControlClient>& client) {
    return eventually([&] {
      try {
        client.emplace(daemon().socket());
        return !client->ask("depth").contains("error");
      } catch (const std::runtime_error&) {
        return false;  // refused before it could ask
      }
    });
  }
};

TEST_F(BadClients, OverlongLineIsCutOffAndCounted) {
  start({{"control", {{"max_request_bytes", 1000}}}});
  ControlClient client = daemon().connect();
  client.send(std::string(5000, 'x'));  // and no end of the line in sight
  const Json answer = Json::parse(client.socket().wait_closed());
  EXPECT_EQ(error_code_of(answer), -32000);
  EXPECT_EQ(answer.at("id"), nullptr);
  EXPECT_THAT(error_message_of(answer), HasSubstr("1000"));
  EXPECT_THAT(error_message_of(answer), HasSubstr("max_request_bytes"));
  EXPECT_EQ(cut_off("request_too_long"), 1U);
  EXPECT_TRUE(daemon().logged("more than 1000 bytes"));
}

TEST_F(BadClients, EachLineIsJudgedByItsOwnLength) {
  start({{"control", {{"max_request_bytes", 1000}}}});
  ControlClient client = daemon().connect();
  const std::string longest = "depth" + std::string(995, ' ') + "\n";
  client.send(longest + longest + longest);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(client.read_json().contains("frames"));
  }
  client.send("depth" + std::string(996, ' ') + "\n");
  EXPECT_EQ(error_code_of(client.read_json()), -32000);
  EXPECT_EQ(client.socket().wait_closed(), "");
  EXPECT_EQ(cut_off("request_too_long"), 1U);
}

TEST_F(BadClients, RequestsBeforeAnOverlongLineAreAnswered) {
  start({{"control", {{"max_request_bytes", 1000}}}});
  ControlClient client = daemon().connect();
  client.send("depth\n" + std::string(2000, 'x'));
  EXPECT_TRUE(client.read_json().contains("frames"));
  EXPECT_EQ(error_code_of(client.read_json()), -32000);
}

TEST_F(BadClients, ClientsBeyondTheLimitAreToldAndCounted) {
  start({{"control", {{"max_clients", 2}}}});
  // The client that asked at the start may still be on its way out.
  std::optional<ControlClient> first;
  std::optional<ControlClient> second;
  ASSERT_TRUE(admitted(first));
  ASSERT_TRUE(admitted(second));
  const auto cut_off_before =
      first->call("stats").at("control").at("cut_off").at("client_limit").get<std::uint64_t>();

  ControlClient third = daemon().connect();
  const Json answer = Json::parse(third.socket().wait_closed());
  EXPECT_EQ(error_code_of(answer), -32001);
  EXPECT_THAT(error_message_of(answer), HasSubstr("max_clients"));
  const Json stats = first->call("stats");
  EXPECT_EQ(stats.at("control").at("cut_off").at("client_limit"), cut_off_before + 1);
  EXPECT_EQ(stats.at("control").at("clients"), 2);
  EXPECT_TRUE(daemon().logged("control.max_clients"));
  EXPECT_TRUE(second->call("depth").contains("frames")) << "those who were there go on";

  second.reset();
  EXPECT_TRUE(admitted(second)) << "there is room again";
}

TEST_F(BadClients, HugelyNestedRequestIsRefusedAndHarmsNothing) {
  start({{"control", {{"max_request_bytes", 4'000'000}}}});
  ControlClient client = daemon().connect();
  constexpr std::size_t levels = 1'000'000;
  for (const auto& [open, close] : {std::pair{"[", "]"}, std::pair{"{\"a\":", "}"}}) {
    std::string nested;
    for (std::size_t i = 0; i < levels / std::string_view(open).size(); ++i) {
      nested += open;
    }
    nested += *open == '[' ? "" : "1";
    for (std::size_t i = 0; i < levels / std::string_view(open).size(); ++i) {
      nested += close;
    }
    for (const char* member : {"params", "other", "id"}) {
      const Json answer = client.ask(
          fmt::format(R"({{"{}":{},"jsonrpc":"2.0","method":"depth"}})", member, nested));
      EXPECT_EQ(error_code_of(answer), -32600) << member;
    }
  }
  EXPECT_TRUE(client.ask("depth").contains("frames"));
}

TEST_F(BadClients, RequestWithAMethodTwiceFlushesNothing) {
  start();
  send_whole(daemon().port(), frames_of(1, 0, 10));
  const Json answer =
      daemon().connect().ask(R"({"jsonrpc":"2.0","id":1,"method":"depth","method":"flush"})");
  EXPECT_EQ(error_code_of(answer), -32600);
  EXPECT_EQ(answer.at("id"), 1);
  EXPECT_EQ(daemon().call("depth").at("frames"), 10);
}

TEST_F(BadClients, SilentClientsLoseTheirPlaces) {
  start({{"control", {{"max_clients", 3}, {"idle_timeout_s", 1}}}});
  std::vector<ControlClient> silent;
  for (int i = 0; i < 3; ++i) {
    silent.push_back(daemon().connect());
  }
  silent.back().send("dep");  // no line
  std::size_t told = 0;
  for (ControlClient& each : silent) {
    const std::string farewell = each.socket().wait_closed();
    told += farewell.find("control.idle_timeout_s") != std::string::npos ? 1 : 0;
  }
  EXPECT_GE(told, 2U) << "the client that asked at the start may have had a place";
  EXPECT_TRUE(daemon().call("depth").contains("frames"));
  EXPECT_EQ(cut_off("idle"), told);
}

TEST_F(BadClients, SilentClientGivesWayToANewOne) {
  start({{"control", {{"max_clients", 2}, {"idle_timeout_s", 0}}}});
  send_whole(daemon().port(), frames_of(1, 0, 10));
  std::optional<ControlClient> holder;
  ASSERT_TRUE(admitted(holder));
  const Json leased = holder->call("drain", {{"lease_s", 600}});
  std::optional<ControlClient> silent;
  ASSERT_TRUE(admitted(silent));
  std::optional<ControlClient> last;
  ASSERT_TRUE(admitted(last));
  EXPECT_THAT(silent->socket().wait_closed(), HasSubstr("control.max_clients"));
  EXPECT_EQ(holder->call("commit", {{"lease", leased.at("lease")}}).at("committed"), 10);
}

TEST_F(BadClients, LeaseHoldersAndWatchersAreNotIdle) {
  start({{"control", {{"idle_timeout_s", 1}}}});
  send_whole(daemon().port(), frames_of(1, 0, 10));
  ControlClient holder = daemon().connect();
  const Json leased = holder.call("drain", {{"lease_s", 600}});
  ControlClient watcher = daemon().connect();
  watcher.send_line(rpc("tail"));
  std::ignore = watcher.read_json();
  for (int i = 0; i < 3; ++i) {  // as long as three others are found idle
    ControlClient silent = daemon().connect();
    EXPECT_THAT(silent.socket().wait_closed(), HasSubstr("idle_timeout_s"));
  }
  EXPECT_EQ(holder.call("commit", {{"lease", leased.at("lease")}}).at("committed"), 10);
  send_whole(daemon().port(), frames_of(1, 10, 1));
  EXPECT_EQ(watcher.read_json().at("params").at("frames").size(), 1U);
}

TEST_F(BadClients, ClientThatHangsMidLineHoldsUpNobody) {
  start();
  ControlClient hanging = daemon().connect();
  const std::string request = rpc("depth");
  hanging.send(request.substr(0, 10));
  send_whole(daemon().port(), frames_of(1, 0, 10));
  ControlClient other = daemon().connect();
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(other.call("depth").at("frames"), 10);
  }
  hanging.send_line(request.substr(10));
  EXPECT_EQ(hanging.read_json().at("result").at("frames"), 10) << "it may take its time";
}

TEST_F(BadClients, ClientThatVanishesIsForgotten) {
  start();
  ControlClient watcher = daemon().connect();
  {
    ControlClient client = daemon().connect();
    client.send("{\"jsonrpc\":");
    ASSERT_TRUE(eventually([&] { return watcher.call("stats")["control"]["clients"] == 2; }));
  }
  EXPECT_TRUE(eventually([&] { return watcher.call("stats")["control"]["clients"] == 1; }));
}

class VanishingClients : public BadClients, public testing::WithParamInterface<const char*> {};

TEST_P(VanishingClients, LoseNoFramesOfTheirDrain) {
  start();
  const std::vector<NativeFrame> frames = frames_of(1, 0, test::scaled(100'000), 40);
  send_whole(daemon().port(), frames);
  {
    ControlClient client = daemon().connect();
    client.send_line(rpc("drain", {{"max_frames", 1'000'000}, {"format", GetParam()}}));
    ASSERT_EQ(client.read_octets(50'000).size(), 50'000U);  // the answer is on its way: megabytes
  }
  ControlClient client = daemon().connect();
  ASSERT_TRUE(eventually([&] { return client.call("depth").at("frames") == frames.size(); }));
  const Json stats = client.call("stats");
  EXPECT_TRUE(balanced(stats));
  EXPECT_EQ(stats.at("ledger").at("drained"), 0);
  EXPECT_TRUE(daemon().logged(fmt::format("{} frames go back", frames.size())));

  send_whole(daemon().port(), frames_of(1, frames.size(), 10, 40));
  std::vector<NativeFrame> expected = frames;
  const std::vector<NativeFrame> later = frames_of(1, frames.size(), 10, 40);
  expected.insert(expected.end(), later.begin(), later.end());
  EXPECT_TRUE(client.drain_all() == expected) << "all of them, and in their order";
  EXPECT_TRUE(balanced(client.call("stats")));
}

INSTANTIATE_TEST_SUITE_P(Formats, VanishingClients, testing::Values("json", "binary"),
                         [](const auto& each) { return std::string(each.param); });

TEST_F(BadClients, ReturnedDrainsStayWithinBoundsUnderBackpressure) {
  constexpr std::uint64_t max_frames = 10'000;
  start({{"buffer", {{"max_frames", max_frames}, {"when_full", "backpressure"}}},
         {"channel", {{"capacity", 2}}}});
  const ChildProcess sim({test::meridian_sim, "--connect",
                          fmt::format("127.0.0.1:{}", daemon().port()), "--uplinks", "2",
                          "--frames", "100000000"});
  ControlClient watcher = daemon().connect();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(eventually([&] { return watcher.call("depth").at("frames") >= max_frames; }));
    {
      ControlClient client = daemon().connect();
      client.send_line(rpc("drain", {{"max_frames", 100'000'000}, {"format", "binary"}}));
      std::ignore = client.read_octets(10);
    }
    ASSERT_TRUE(eventually([&] { return watcher.call("stats")["control"]["clients"] == 1; }));
  }
  const Json stats = watcher.call("stats");
  EXPECT_TRUE(balanced(stats));
  EXPECT_EQ(stats.at("ledger").at("drained"), 0);
  // A read of 256 KiB holds less than 3200 of these frames. One drain sees what the channel held.
  EXPECT_LE(stats.at("buffer").at("frames_high_water"), max_frames + 3 * 3200);
}

TEST_F(BadClients, LongAnswersThatNobodyReadsCostLittle) {
  start();
  const std::uint64_t satellites = test::scaled(70'000);
  std::vector<NativeFrame> frames;
  for (std::uint64_t id = 0; id < satellites; ++id) {
    frames.push_back({.satellite_id = static_cast<std::uint32_t>(id), .payload = "x"});
  }
  send_whole(daemon().port(), frames);
  ControlClient watcher = daemon().connect();
  ASSERT_EQ(watcher.call("depth").at("frames"), satellites);
  const std::size_t before = daemon().process().resident_bytes();
  std::vector<ControlClient> clients;
  // Fewer under sanitizers: otherwise the daemon cuts off the first client before the test reads
  // from it.
  const int readers = test::slowdown == 1 ? 60 : 12;
  for (int i = 0; i < readers; ++i) {
    clients.push_back(daemon().connect());
    clients.back().send_line("satellites");
  }
  for (int i = 0; i < 20; ++i) {
    const auto asked_at = std::chrono::steady_clock::now();
    EXPECT_EQ(watcher.call("depth").at("frames"), satellites);
    EXPECT_LT(std::chrono::steady_clock::now() - asked_at,
              test::at_most(std::chrono::milliseconds(500)));
  }
  if (test::slowdown == 1) {  // sanitizers take memory of their own
    EXPECT_LT(daemon().process().resident_bytes(), before + 60U * 1024 * 1024);
  }
  const Json whole = Json::parse(clients.front().read_line());
  EXPECT_EQ(whole.at("satellites").size(), std::min<std::uint64_t>(satellites, 65'537));
}

TEST_F(BadClients, PartialRequestIsNotExecutedAtAStop) {
  start();
  send_whole(daemon().port(), frames_of(1, 0, 100));
  ControlClient client = daemon().connect();
  client.send("flush");  // and no line end
  ASSERT_TRUE(eventually([&] { return daemon().stat("/control/clients") == 2; }));
  EXPECT_EQ(daemon().stop(), 0);
  EXPECT_THAT(daemon().log(), HasSubstr("stopped: 100 frames"));
}

TEST_F(BadClients, DrainInterruptedByAStopIsNotLost) {
  start();
  const std::vector<NativeFrame> frames = frames_of(1, 0, test::scaled(100'000), 40);
  send_whole(daemon().port(), frames);
  ControlClient client = daemon().connect();
  client.send_line(rpc("drain", {{"max_frames", 1'000'000}}));
  std::ignore = client.read_octets(1000);  // and no more of it
  EXPECT_EQ(daemon().stop(), 0);
  EXPECT_THAT(daemon().log(), HasSubstr(fmt::format("stopped: {} frames", frames.size())));
}

TEST_F(BadClients, FramesOfOneSatelliteReturnToTheirPlaces) {
  start();
  std::vector<NativeFrame> mixed;
  for (std::uint64_t sequence = 0; sequence < test::scaled(50'000); ++sequence) {
    for (std::uint32_t id = 1; id <= 3; ++id) {
      mixed.push_back({.satellite_id = id, .sequence = sequence, .payload = std::string(20, 'x')});
    }
  }
  send_whole(daemon().port(), mixed);
  {
    ControlClient client = daemon().connect();
    client.send_line(rpc("drain", {{"max_frames", 1'000'000}, {"satellite_id", 2}}));
    std::ignore = client.read_octets(1000);
  }
  ControlClient client = daemon().connect();
  ASSERT_TRUE(eventually([&] { return client.call("depth").at("frames") == mixed.size(); }));
  std::vector<NativeFrame> others;
  std::vector<NativeFrame> second;
  for (const NativeFrame& frame : mixed) {
    (frame.satellite_id == 2 ? second : others).push_back(frame);
  }
  EXPECT_TRUE(client.drain_all({{"satellite_id", 2}}) == second);
  EXPECT_TRUE(client.drain_all() == others);
}

/// Sends requests without reading, until the daemon takes no more of them.
void send_without_reading(ControlClient& client, std::string_view line) {
  std::string lines;
  for (int i = 0; i < 20'000; ++i) {
    lines += std::string(line) + "\n";
  }
  while (client.socket().send_until_blocked(lines, std::chrono::milliseconds(300)) ==
         lines.size()) {
  }
}

TEST_F(BadClients, ClientsThatDoNotReadAreCutOff) {
  start();
  const std::vector<NativeFrame> frames = frames_of(1, 0, 20'000, 100);
  send_whole(daemon().port(), frames);

  // Two at once, since each takes the daemon's ten seconds: one that floods it with small requests,
  // one in the middle of a large drain.
  ControlClient draining = daemon().connect();
  draining.send_line(rpc("drain", {{"max_frames", 1'000'000}, {"format", "binary"}}));
  ControlClient flooding = daemon().connect();
  send_without_reading(flooding, "stats");

  std::uint64_t sent = 0;
  UplinkClient uplink(daemon().port());
  ControlClient watcher = daemon().connect();
  const bool both_cut_off = eventually(
      [&] {
        uplink.send(frames_of(2, sent, 100));
        sent += 100;
        const auto asked_at = std::chrono::steady_clock::now();
        const Json stats = watcher.call("stats");
        EXPECT_LT(std::chrono::steady_clock::now() - asked_at,
                  test::at_most(std::chrono::seconds(1)));
        EXPECT_TRUE(balanced(stats));
        return stats.at("control").at("cut_off").at("not_reading") == 2;
      },
      test::at_most(std::chrono::seconds(25)));
  EXPECT_TRUE(both_cut_off);
  EXPECT_TRUE(daemon().logged("did not read"));
  uplink.finish();

  ASSERT_TRUE(
      eventually([&] { return watcher.call("depth").at("frames") == frames.size() + sent; }));
  EXPECT_TRUE(watcher.drain_all({{"satellite_id", 1}}) == frames) << "back, and in order";
  EXPECT_TRUE(watcher.drain_all({{"satellite_id", 2}}) == frames_of(2, 0, sent));
  EXPECT_TRUE(balanced(watcher.call("stats")));
  flooding.socket().wait_closed();
}

TEST_F(BadClients, RequestsAfterALargeDrainAreAnsweredNext) {
  start();
  const std::vector<NativeFrame> frames = frames_of(1, 0, test::scaled(20'000), 100);
  send_whole(daemon().port(), frames);
  ControlClient client = daemon().connect();
  client.send_line("drain");
  client.send_line(rpc("drain", {{"max_frames", 1'000'000}, {"format", "binary"}}));
  client.send_line("depth");

  const Json first = client.read_json();
  ASSERT_EQ(first.at("frames").size(), 1000U);
  const Json reply = client.read_json().at("result");
  const std::string octets = client.read_octets(reply.at("bytes").get<std::size_t>());
  EXPECT_TRUE(octets == test::encode({frames.begin() + 1000, frames.end()}));
  EXPECT_EQ(client.read_json().at("frames"), 0);
}

}  // namespace
}  // namespace meridian::test
