// Listeners that a new configuration adds, removes and changes, and what becomes of their sessions.
#include "integration/harness/bound_socket.hpp"
#include "integration/harness/daemon.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>

#include <signal.h>

namespace meridian::test {
namespace {

class ReloadListeners : public DaemonTest {
 protected:
  static Json listeners(std::vector<Json> all) { return {{"uplinks", std::move(all)}}; }
  static Json listener(const char* name, const BoundSocket& port) {
    return native_listener({{"name", name}, {"listen", port.address()}});
  }

  Json entry_of(const UplinkClient& uplink) {
    return test::uplink(daemon().call("uplinks"), uplink.address());
  }
  bool is_closed_for(const UplinkClient& uplink, const char* reason) {
    return eventually([&] {
      const Json entry = entry_of(uplink);
      return entry.contains("reason") && entry.at("reason") == reason;
    });
  }
  bool depth_is(std::uint64_t frames) {
    return eventually([&] { return daemon().call("depth").at("frames") == frames; });
  }
  bool listens_on(const char* name, const BoundSocket& port) {
    return eventually([&] { return daemon().port_now(name) == port.port(); });
  }
  static bool is_refused(std::uint16_t port) {
    return eventually([port] {
      try {
        const UplinkClient uplink(port);
        return false;
      } catch (const std::runtime_error&) {
        return true;
      }
    });
  }
};

TEST_F(ReloadListeners, NewOneTakesUplinks) {
  start(listeners({native_listener()}));
  UplinkClient uplink(daemon().port());
  send_as_batch(uplink, frames_of(1, 0, 10));
  reload(listeners({native_listener(), native_listener({{"name", "second"}}), packet_listener()}));
  send_whole(*daemon().port_now("second"), frames_of(2, 0, 10));
  send_whole(*daemon().port_now("packets"), encode(SpacePacket{.apid = 3, .count = 7}));
  EXPECT_EQ(daemon().port_now("native"), daemon().port()) << "the first stays where it is";
  uplink.send(frames_of(1, 10, 10));
  uplink.finish();
  EXPECT_EQ(daemon().call("depth").at("frames"), 31);
}

TEST_F(ReloadListeners, RemovedOneEndsOnlyItsOwnSessions) {
  start(listeners({native_listener(), native_listener({{"name", "second"}})}));
  const std::uint16_t removed = daemon().port("second");
  UplinkClient stays(daemon().port());
  UplinkClient goes(removed);
  send_as_batch(stays, frames_of(1, 0, 10));
  send_as_batch(goes, frames_of(2, 0, 10));
  EXPECT_EQ(reload(listeners({native_listener()})).at("changed"),
            Json{"uplinks[1] (\"second\", removed)"});
  EXPECT_EQ(goes.socket().wait_closed(), "");
  EXPECT_TRUE(is_closed_for(goes, "listener_removed")) << entry_of(goes);
  EXPECT_EQ(daemon().stat("/sessions/closed/listener_removed"), 1U);
  EXPECT_EQ(daemon().port_now("second"), std::nullopt);
  EXPECT_TRUE(is_refused(removed));

  EXPECT_EQ(entry_of(stays).at("state"), "receiving");
  stays.send(frames_of(1, 10, 10));
  stays.finish();
  EXPECT_EQ(daemon().connect().drain_all({{"satellite_id", 1}}), frames_of(1, 0, 20));
  EXPECT_EQ(daemon().connect().drain_all({{"satellite_id", 2}}), frames_of(2, 0, 10));
}

class RemovedWhileHeld : public ReloadListeners {
 protected:
  /// A session of a listener that has been removed, with a batch for which there is no room.
  void remove_while_held() {
    const Json limits = {{"buffer", {{"max_frames", 10}, {"when_full", "backpressure"}}},
                         {"channel", {{"capacity", 1}}}};
    Json before = listeners({native_listener(), native_listener({{"name", "second"}})});
    before.update(limits);
    start(before);
    uplink_.emplace(daemon().port("second"));
    // In the buffer, held by the actor, in the channel, and in the session's hands.
    for (std::uint64_t batch = 0; batch < 4; ++batch) {
      send_as_batch(*uplink_, frames_of(1, 10 * batch, 10));
    }
    ASSERT_TRUE(eventually([&] { return entry_of(*uplink_).at("state") == "held"; }));
    Json after = listeners({native_listener()});
    after.update(limits);
    reload(after);
  }
  std::optional<UplinkClient> uplink_;
};

TEST_F(RemovedWhileHeld, HandsOverWhatItHasRead) {
  ASSERT_NO_FATAL_FAILURE(remove_while_held());
  std::vector<NativeFrame> drained;
  ASSERT_TRUE(eventually([&] {
    for (const NativeFrame& frame : daemon().connect().drain_all()) {
      drained.push_back(frame);
    }
    return drained.size() == 40;
  })) << drained.size();
  EXPECT_EQ(drained, frames_of(1, 0, 40));
  EXPECT_TRUE(is_closed_for(*uplink_, "listener_removed")) << entry_of(*uplink_);
  EXPECT_EQ(uplink_->socket().wait_closed(), "");
}

TEST_F(RemovedWhileHeld, IsWaitedForAtTheStop) {
  ASSERT_NO_FATAL_FAILURE(remove_while_held());
  stop();
  EXPECT_TRUE(daemon().logged("stopped: 40 frames"));
}

TEST_F(ReloadListeners, MovedOneKeepsItsSessions) {
  const BoundSocket from = BoundSocket::reserved_port();
  const BoundSocket to = BoundSocket::reserved_port();
  start(listeners({listener("native", from)}));
  UplinkClient uplink(from.port());
  send_as_batch(uplink, frames_of(1, 0, 10));
  EXPECT_EQ(reload(listeners({listener("native", to)})).at("changed"), Json{"uplinks[0].listen"});
  EXPECT_TRUE(listens_on("native", to));
  EXPECT_TRUE(is_refused(from.port()));
  send_whole(to.port(), frames_of(2, 0, 10));
  uplink.send(frames_of(1, 10, 10));
  uplink.finish();
  EXPECT_EQ(entry_of(uplink).at("frames"), 20);
  EXPECT_EQ(daemon().call("depth").at("frames"), 30);
}

TEST_F(ReloadListeners, TwoSwapTheirPorts) {
  const BoundSocket first = BoundSocket::reserved_port();
  const BoundSocket second = BoundSocket::reserved_port();
  start(listeners({listener("a", first), listener("b", second)}));
  UplinkClient of_a(first.port());
  UplinkClient of_b(second.port());
  send_as_batch(of_a, frames_of(1, 0, 10));
  send_as_batch(of_b, frames_of(2, 0, 10));
  reload(listeners({listener("a", second), listener("b", first)}));
  EXPECT_TRUE(listens_on("a", second));
  EXPECT_TRUE(listens_on("b", first));
  UplinkClient late(first.port());
  send_as_batch(late, frames_of(3, 0, 10));
  EXPECT_EQ(entry_of(late).at("listener"), "b");
  EXPECT_EQ(send_as_batch(of_a, frames_of(1, 10, 10)).at("listener"), "a");
  EXPECT_EQ(send_as_batch(of_b, frames_of(2, 10, 10)).at("listener"), "b");
  EXPECT_TRUE(depth_is(50));
}

TEST_F(ReloadListeners, TwoSwapPortsRepeatedlyAndLeakNoSocket) {
  const BoundSocket first = BoundSocket::reserved_port();
  const BoundSocket second = BoundSocket::reserved_port();
  start(listeners({listener("a", first), listener("b", second)}));
  constexpr std::uint64_t swaps = 20;
  for (std::uint64_t swap = 0; swap < swaps; ++swap) {
    reload(listeners({listener("a", second), listener("b", first)}));
    reload(listeners({listener("a", first), listener("b", second)}));
    send_whole(first.port(), frames_of(1, swap, 1));
    send_whole(second.port(), frames_of(2, swap, 1));
  }
  EXPECT_TRUE(depth_is(2 * swaps));
  // A copy of a socket that was left open would still listen.
  const BoundSocket other = BoundSocket::reserved_port();
  reload(listeners({listener("a", other)}));
  EXPECT_THROW(std::ignore = UplinkClient(first.port()), std::system_error);
  EXPECT_THROW(std::ignore = UplinkClient(second.port()), std::system_error);
}

TEST_F(ReloadListeners, OneGoesAndComesAgainAtOnce) {
  const BoundSocket port = BoundSocket::reserved_port();
  const BoundSocket other = BoundSocket::reserved_port();
  start(listeners({listener("a", port), listener("b", other)}));
  for (std::uint64_t time = 0; time < 20; ++time) {
    reload(listeners({listener("b", other)}));
    reload(listeners({listener("a", port), listener("b", other)}));
  }
  send_whole(port.port(), frames_of(1, 0, 5));
  EXPECT_TRUE(depth_is(5));
}

TEST_F(ReloadListeners, OtherFramingMakesItAnotherListener) {
  const BoundSocket port = BoundSocket::reserved_port();
  start(listeners({listener("native", port)}));
  UplinkClient uplink(port.port());
  send_as_batch(uplink, frames_of(1, 0, 10));
  reload(listeners({packet_listener({{"name", "native"}, {"listen", port.address()}})}));
  EXPECT_EQ(uplink.socket().wait_closed(), "");
  EXPECT_TRUE(is_closed_for(uplink, "listener_removed"));
  EXPECT_TRUE(eventually([&] {
    const Json all = daemon().call("uplinks").at("listeners");
    return all.size() == 1 && all.at(0).at("framing") == "ccsds_space_packet";
  }));
  send_whole(port.port(), encode(SpacePacket{.apid = 3, .count = 7}));
  EXPECT_EQ(daemon().call("depth").at("frames"), 11);
}

TEST_F(ReloadListeners, LowerPayloadLimitAppliesToTheNextFrame) {
  start(listeners({native_listener({{"max_payload_bytes", 1000}})}));
  UplinkClient uplink(daemon().port());
  const std::vector<NativeFrame> frames = frames_of(1, 0, 2, 1000);
  const std::string first = encode(frames[0]);
  uplink.send(first.substr(0, 500));
  ASSERT_TRUE(eventually([&] {
    const Json entry = entry_of(uplink);
    return !entry.is_null() && entry.at("bytes") == 500;
  }));
  reload(listeners({native_listener({{"max_payload_bytes", 100}})}));
  uplink.send(first.substr(500));
  EXPECT_TRUE(depth_is(1)) << "it was allowed when it began";
  uplink.send(frames_of(1, 1, 1, 100));
  EXPECT_TRUE(depth_is(2));
  uplink.send({frames[1]});
  uplink.socket().wait_closed();
  EXPECT_TRUE(is_closed_for(uplink, "malformed"));
  EXPECT_EQ(daemon().stat("/malformed/length_too_large"), 1U);
  EXPECT_EQ(daemon().call("depth").at("frames"), 2);
}

TEST_F(ReloadListeners, HigherPayloadLimitAppliesToOpenSessions) {
  start(listeners({native_listener({{"max_payload_bytes", 100}})}));
  UplinkClient uplink(daemon().port());
  send_as_batch(uplink, frames_of(1, 0, 1, 100));
  reload(listeners({native_listener({{"max_payload_bytes", 1000}})}));
  uplink.send(frames_of(1, 1, 1, 1000));
  uplink.finish();
  EXPECT_EQ(daemon().call("depth").at("frames"), 2);
}

TEST_F(ReloadListeners, IdleTimeoutAppliesToOpenSessions) {
  start(listeners({native_listener()}));
  UplinkClient uplink(daemon().port());
  send_as_batch(uplink, frames_of(1, 0, 10));
  reload(listeners({native_listener({{"idle_timeout_s", 1}})}));
  uplink.socket().wait_closed();
  EXPECT_TRUE(is_closed_for(uplink, "idle_timeout")) << entry_of(uplink);
  EXPECT_EQ(daemon().call("depth").at("frames"), 10);
}

TEST_F(ReloadListeners, SessionLimitCountsThoseThatAreThere) {
  start(listeners({native_listener()}));
  UplinkClient first(daemon().port());
  UplinkClient second(daemon().port());
  send_as_batch(first, frames_of(1, 0, 10));
  send_as_batch(second, frames_of(2, 0, 10));
  reload(listeners({native_listener({{"max_sessions", 2}})}));
  UplinkClient third(daemon().port());
  third.socket().wait_closed();
  EXPECT_TRUE(is_closed_for(third, "session_limit"));
  send_as_batch(first, frames_of(1, 10, 10));
  send_as_batch(second, frames_of(2, 10, 10));
  reload(listeners({native_listener({{"max_sessions", 3}})}));
  UplinkClient fourth(daemon().port());
  send_as_batch(fourth, frames_of(3, 0, 10));
  EXPECT_TRUE(depth_is(50));
}

}  // namespace
}  // namespace meridian::test
