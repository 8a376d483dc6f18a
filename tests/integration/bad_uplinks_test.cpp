// Uplinks that send what they should not: named, counted, and nothing that was whole is lost.
#include "integration/harness/daemon.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace meridian::test {
namespace {

using testing::HasSubstr;

class BadUplinks : public DaemonTest {
 protected:
  /// The entry of a peer among the closed uplinks, once it is there.
  Json closed_uplink(const std::string& peer) {
    std::optional<Json> found;
    EXPECT_TRUE(eventually([&] {
      const Json uplinks = daemon().call("uplinks");
      for (const Json& closed : uplinks.at("closed")) {
        if (closed.at("peer") == peer) {
          found = closed;
        }
      }
      return found.has_value();
    })) << peer;
    return found.value_or(Json::object());
  }

  /// The line of the log with this text, once it is there.
  std::string log_line(std::string_view text) {
    EXPECT_TRUE(eventually([&] { return daemon().logged(text); })) << text;
    for (const std::string& line : test::lines_of(daemon().log())) {
      if (line.find(text) != std::string::npos) {
        return line;
      }
    }
    return "";
  }
};

struct BadStream {
  const char* name;
  const char* listener;
  std::string whole;  ///< good frames in front
  std::string bad;    ///< what ends the session
  const char* reason;
};
void PrintTo(const BadStream& stream, std::ostream* out) {
  *out << stream.name;
}

class MalformedUplinks : public BadUplinks, public testing::WithParamInterface<BadStream> {};

TEST_P(MalformedUplinks, EndWithTheirReasonAndKeepEarlierFrames) {
  const BadStream& stream = GetParam();
  start({{"uplinks",
          {native_listener({{"max_payload_bytes", 100}}),
           packet_listener({{"max_payload_bytes", 200}})}}});
  UplinkClient bystander(daemon().port());
  UplinkClient uplink(daemon().port(stream.listener));
  uplink.send(stream.whole + stream.bad + encode(frames_of(9, 0, 10)));
  EXPECT_EQ(uplink.socket().wait_closed(), "") << "there is no reply on an uplink";

  const Json closed = closed_uplink(uplink.address());
  EXPECT_EQ(closed.at("reason"), "malformed");
  EXPECT_EQ(closed.at("frames"), 5);
  const Json stats = daemon().call("stats");
  EXPECT_EQ(stats.at("malformed").at(stream.reason), 1) << stats.at("malformed");
  EXPECT_EQ(stats.at("truncated"), 0);
  EXPECT_EQ(stats.at("ledger").at("received"), 5) << "the rest of the stream cannot be trusted";
  EXPECT_EQ(stats.at("ledger").at("buffered"), 5);
  EXPECT_EQ(stats.at("sessions").at("closed").at("malformed"), 1);

  const std::string line = log_line(stream.reason);
  EXPECT_THAT(line, HasSubstr(uplink.address()));
  EXPECT_THAT(line, HasSubstr(fmt::format("offset {}", stream.whole.size())));

  bystander.send(frames_of(1, 0, 3));
  bystander.finish();
  EXPECT_EQ(daemon().call("depth").at("frames"), 8) << "others go on";
}

std::string native_with_flags(std::uint16_t flags) {
  return encode(NativeFrame{.satellite_id = 1, .flags = flags, .sequence = 5, .payload = "x"});
}

/// The header of a frame that claims to have this length.
std::string native_with_length(std::uint32_t length) {
  std::string frame = encode(NativeFrame{.satellite_id = 1, .sequence = 5});
  for (std::size_t i = 0; i < 4; ++i) {
    frame[i] = static_cast<char>(length >> (24 - 8 * i) & 0xFF);
  }
  return frame;
}

std::string five_packets() {
  std::string packets;
  for (std::uint16_t count = 0; count < 5; ++count) {
    packets += encode(SpacePacket{.apid = 40, .count = count});
  }
  return packets;
}

INSTANTIATE_TEST_SUITE_P(
    Each, MalformedUplinks,
    testing::Values(
        BadStream{"LengthOfNothing", "native", encode(frames_of(1, 0, 5)), native_with_length(0),
                  "length_too_small"},
        BadStream{"LengthBelowTheHeader", "native", encode(frames_of(1, 0, 5)),
                  native_with_length(15), "length_too_small"},
        BadStream{"LengthAboveTheLimit", "native", encode(frames_of(1, 0, 5, 100)),
                  native_with_length(16 + 101), "length_too_large"},
        BadStream{"LengthOfAllOnes", "native", encode(frames_of(1, 0, 5)),
                  native_with_length(0xFFFFFFFF), "length_too_large"},
        BadStream{"ReservedFlag", "native", encode(frames_of(1, 0, 5)), native_with_flags(2),
                  "reserved_flags"},
        BadStream{"HighestReservedFlag", "native", encode(frames_of(1, 0, 5)),
                  native_with_flags(0x8001), "reserved_flags"},
        BadStream{"PacketVersion", "packets", five_packets(),
                  encode(SpacePacket{.apid = 40, .count = 5, .version = 1}), "packet_version"},
        BadStream{"PacketTooLarge", "packets", five_packets(),
                  encode(SpacePacket{.apid = 40, .count = 5, .data = std::string(195, 'x')}),
                  "packet_too_large"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST_F(BadUplinks, TruncatedStreamKeepsItsWholeFrames) {
  start();
  UplinkClient uplink(daemon().port());
  const std::string whole = encode(frames_of(1, 0, 5));
  uplink.send(whole + encode(frames_of(1, 5, 1, 50)).substr(0, 33));
  uplink.finish();

  EXPECT_EQ(closed_uplink(uplink.address()).at("reason"), "truncated");
  const Json stats = daemon().call("stats");
  EXPECT_EQ(stats.at("truncated"), 1);
  EXPECT_EQ(stats.at("ledger").at("buffered"), 5);
  const std::string line = log_line("middle of a frame");
  EXPECT_THAT(line, HasSubstr(uplink.address()));
  EXPECT_THAT(line, HasSubstr(fmt::format("offset {}", whole.size())));
}

TEST_F(BadUplinks, TruncatedWithinALengthFieldCountsToo) {
  start();
  UplinkClient uplink(daemon().port());
  uplink.send(std::string_view("\0", 1));
  uplink.finish();
  EXPECT_EQ(closed_uplink(uplink.address()).at("reason"), "truncated");
  EXPECT_EQ(daemon().stat("/truncated"), 1U);
}

TEST_F(BadUplinks, TruncatedPacketKeepsThePacketsBefore) {
  start();
  UplinkClient uplink(daemon().port("packets"));
  uplink.send(five_packets() + encode(SpacePacket{.apid = 40, .count = 5}).substr(0, 6));
  uplink.finish();
  EXPECT_EQ(closed_uplink(uplink.address()).at("reason"), "truncated");
  EXPECT_EQ(daemon().call("depth").at("frames"), 5);
}

TEST_F(BadUplinks, ConnectionWithoutAnOctetIsNoFault) {
  start();
  UplinkClient uplink(daemon().port());
  uplink.finish();
  EXPECT_EQ(closed_uplink(uplink.address()).at("reason"), "end_of_stream");
  EXPECT_EQ(daemon().stat("/truncated"), 0U);
  EXPECT_EQ(closed_uplink(uplink.address()).at("last_frame_at"), nullptr);
}

TEST_F(BadUplinks, OnlyTheIdleUplinkIsEnded) {
  start({{"uplinks", {native_listener({{"idle_timeout_s", 1}})}}});
  UplinkClient idle(daemon().port());
  idle.send(frames_of(1, 0, 2));
  UplinkClient busy(daemon().port());
  std::uint64_t sent = 0;
  EXPECT_TRUE(eventually([&] {
    busy.send(frames_of(2, sent++, 1));
    return daemon().stat("/sessions/closed/idle_timeout") == 1;
  }));
  EXPECT_EQ(idle.socket().wait_closed(), "");
  EXPECT_EQ(closed_uplink(idle.address()).at("reason"), "idle_timeout");
  EXPECT_EQ(closed_uplink(idle.address()).at("frames"), 2);
  EXPECT_THAT(log_line("idle_timeout"), HasSubstr(idle.address()));
  busy.finish();
  EXPECT_EQ(daemon().call("depth").at("frames"), sent + 2);
}

TEST_F(BadUplinks, VanishedPeerIsNoticedAndQuietOneKept) {
  start({{"uplinks", {native_listener({{"peer_timeout_s", 2}})}}});
  UplinkClient quiet(daemon().port());
  quiet.send(frames_of(2, 0, 1));
  UplinkClient gone(daemon().port());
  gone.send(frames_of(1, 0, 2));
  ASSERT_TRUE(eventually([&] { return daemon().stat("/ledger/received") == 3; }));
  const std::string address = gone.address();
  if (!gone.socket().vanish()) {
    GTEST_SKIP() << "only root may let a connection vanish";
  }
  EXPECT_TRUE(eventually([&] { return daemon().stat("/sessions/closed/connection_lost") == 1; }));
  EXPECT_EQ(closed_uplink(address).at("frames"), 2);
  quiet.finish();
  EXPECT_EQ(closed_uplink(quiet.address()).at("reason"), "end_of_stream");
}

TEST_F(BadUplinks, ReloadStartsToWatchPeersOfOpenSessions) {
  start({{"uplinks", {native_listener({{"peer_timeout_s", 0}})}}});
  UplinkClient gone(daemon().port());
  ASSERT_TRUE(eventually([&] { return daemon().stat("/sessions/open") == 1; }));
  EXPECT_EQ(reload({{"uplinks", {native_listener({{"peer_timeout_s", 2}})}}}).at("changed"),
            Json::array({"uplinks[0].peer_timeout_s"}));
  if (!gone.socket().vanish()) {
    GTEST_SKIP() << "only root may let a connection vanish";
  }
  EXPECT_TRUE(eventually([&] { return daemon().stat("/sessions/closed/connection_lost") == 1; }));
}

TEST_F(BadUplinks, SessionsBeyondTheLimitAreRefused) {
  start({{"uplinks", {native_listener({{"max_sessions", 2}})}}});
  UplinkClient first(daemon().port());
  UplinkClient second(daemon().port());
  ASSERT_TRUE(eventually([&] { return daemon().stat("/sessions/open") == 2; }));
  UplinkClient third(daemon().port());
  EXPECT_EQ(third.socket().wait_closed(), "");
  EXPECT_EQ(closed_uplink(third.address()).at("reason"), "session_limit");
  EXPECT_EQ(daemon().stat("/sessions/closed/session_limit"), 1U);
  EXPECT_THAT(log_line("max_sessions"), HasSubstr(third.address()));

  first.send(frames_of(1, 0, 5));
  first.finish();
  ASSERT_TRUE(eventually([&] { return daemon().stat("/sessions/open") == 1; }));
  send_whole(daemon().port(), frames_of(2, 0, 5));
  second.finish();
  EXPECT_EQ(daemon().call("depth").at("frames"), 10);
}

TEST_F(BadUplinks, ResetConnectionIsNamedAndKeepsItsFrames) {
  start();
  UplinkClient uplink(daemon().port());
  uplink.send(frames_of(1, 0, 5));
  ASSERT_TRUE(eventually([&] { return daemon().call("depth").at("frames") == 5; }));
  const std::string address = uplink.address();
  uplink.socket().reset();
  EXPECT_EQ(closed_uplink(address).at("reason"), "connection_lost");
  EXPECT_EQ(daemon().call("depth").at("frames"), 5);
}

TEST_F(BadUplinks, SmallestAndLargestSatelliteIdsAreOrdinary) {
  start();
  constexpr std::uint32_t largest = 0xFFFFFFFF;
  send_whole(daemon().port(), frames_of(0, 0, 3));
  send_whole(daemon().port(), frames_of(largest, 0, 4));
  const Json satellites = daemon().call("satellites");
  EXPECT_EQ(satellite(satellites, 0).at("frames"), 3);
  EXPECT_EQ(satellite(satellites, largest).at("frames"), 4);
  test::ControlClient client = daemon().connect();
  EXPECT_EQ(client.drain_all({{"satellite_id", largest}}), frames_of(largest, 0, 4));
  EXPECT_EQ(client.drain_all({{"satellite_id", 0}}), frames_of(0, 0, 3));
}

TEST_F(BadUplinks, SatellitesBeyondTheMostTrackedAreSummed) {
  constexpr std::uint64_t tracked = 1000;
  const std::uint64_t ids = test::scaled(1'000'000);
  start({{"satellites", {{"max_tracked", tracked}}}});
  UplinkClient uplink(daemon().port());
  for (std::uint64_t begin = 0; begin < ids; begin += 10'000) {
    std::string octets;
    for (std::uint64_t id = begin; id < begin + 10'000; ++id) {
      octets += encode(NativeFrame{.satellite_id = static_cast<std::uint32_t>(id * 4099)});
    }
    uplink.send(octets);
  }
  uplink.finish();

  const Json stats = daemon().call("stats");
  EXPECT_EQ(stats.at("ledger").at("received"), ids);
  EXPECT_TRUE(balanced(stats));
  const Json satellites = daemon().call("satellites").at("satellites");
  ASSERT_EQ(satellites.size(), tracked + 1);
  const Json& rest = satellites.back();
  EXPECT_EQ(rest.at("satellite_id"), nullptr);
  EXPECT_EQ(rest.at("channel_id"), nullptr);
  EXPECT_EQ(rest.at("last_sequence"), nullptr);
  EXPECT_EQ(rest.at("frames"), ids - tracked);
  EXPECT_EQ(rest.at("bytes"), (ids - tracked) * 20);
  EXPECT_EQ(rest.at("gaps"), 0);
  EXPECT_EQ(rest.at("duplicates"), 0);
}

TEST_F(BadUplinks, TransferFramesAreRefusedByAPacketListener) {
  start();
  std::string frame = "\x1A\xCF\xFC\x1D";
  frame.resize(1024, '\x40');
  UplinkClient uplink(daemon().port("packets"));
  uplink.send(frame);
  EXPECT_EQ(uplink.socket().wait_closed(), "");
  EXPECT_EQ(daemon().stat("/malformed/sync_marker"), 1U);
  EXPECT_EQ(daemon().call("depth").at("frames"), 0);
  EXPECT_TRUE(eventually([&] { return daemon().logged("sync marker 1ACFFC1D"); }));
  EXPECT_TRUE(daemon().logged("framing is \"ccsds_space_packet\"")) << daemon().log();
}

TEST_F(BadUplinks, ImplausiblePacketsAreSaidOnceForTheirListener) {
  start();
  for (int session = 0; session < 5; ++session) {
    send_whole(daemon().port("packets"), std::string(7 * 100, '\0'));
  }
  EXPECT_EQ(daemon().stat("/implausible"), 5U);
  EXPECT_EQ(daemon().call("depth").at("frames"), 500) << "they are kept";
  send_whole(daemon().port("packets"), five_packets());
  EXPECT_EQ(daemon().stat("/implausible"), 5U);
  // Peers that take turns with good ones do not have it said again.
  send_whole(daemon().port("packets"), std::string(7 * 100, '\0'));
  EXPECT_EQ(daemon().stat("/implausible"), 6U);
  const auto sessions_that_ended = [this] {
    const std::string log = daemon().log();
    std::size_t count = 0;
    for (std::size_t at = log.find(" closed: "); at != std::string::npos;
         at = log.find(" closed: ", at + 1)) {
      ++count;
    }
    return count;
  };
  ASSERT_TRUE(eventually([&] { return sessions_that_ended() >= 7; })) << daemon().log();
  const std::string log = daemon().log();
  constexpr const char* said = "does not look like space packets";
  EXPECT_NE(log.find(said), std::string::npos) << log;
  EXPECT_EQ(log.find(said), log.rfind(said)) << log;
}

TEST_F(BadUplinks, IdlePacketsAreCountedAndNotBuffered) {
  start();
  send_whole(daemon().port("packets"), encode(SpacePacket{.apid = 0x7FF, .count = 1}) +
                                           five_packets() +
                                           encode(SpacePacket{.apid = 0x7FF, .count = 2}));
  EXPECT_EQ(daemon().call("depth").at("frames"), 5);
  EXPECT_EQ(daemon().stat("/idle_packets"), 2U);
}

TEST_F(BadUplinks, FrameOfExactlyTheLargestPayloadIsTaken) {
  start({{"uplinks", {native_listener({{"max_payload_bytes", 300'000}})}}});
  const std::vector<NativeFrame> frames = frames_of(1, 0, 3, 300'000);
  send_whole(daemon().port(), frames);
  EXPECT_EQ(daemon().connect().drain_all(), frames);
}

}  // namespace
}  // namespace meridian::test
