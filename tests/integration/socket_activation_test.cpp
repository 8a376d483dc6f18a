// Listening sockets that a service manager has opened: connections wait there while no daemon runs.
#include "integration/harness/bound_socket.hpp"
#include "integration/harness/http_client.hpp"
#include "integration/harness/saved_state.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <system_error>

#include <sys/stat.h>

namespace meridian::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class SocketActivation : public StateTest {
 protected:
  std::string control_path() const { return directory().file("control.sock"); }
  static Json listening(const BoundSocket& port) {
    return {{"uplinks", {native_listener({{"listen", port.address()}})}}};
  }
};

TEST_F(SocketActivation, ControlSocketIsTakenByItsName) {
  const BoundSocket control = BoundSocket::listening_file(control_path());
  ControlClient early(control_path());
  early.send_line("depth");
  start(Json::object(), {.sockets = {{"control", control.descriptor()}}});
  EXPECT_EQ(early.read_json().at("frames"), 0) << "who came before the start is served";
  EXPECT_TRUE(daemon().logged(control_path() + " (inherited)"));
}

TEST_F(SocketActivation, ControlSocketsFileOutlivesTheDaemon) {
  const BoundSocket control = BoundSocket::listening_file(control_path());
  const Surroundings surroundings = {.sockets = {{"control", control.descriptor()}}};
  start(Json::object(), surroundings);
  stop();
  ASSERT_TRUE(std::filesystem::is_socket(control_path()));
  ControlClient between(control_path());
  between.send_line("version");
  start(Json::object(), surroundings);
  EXPECT_EQ(between.read_json().at("name"), "meridiand");
}

TEST_F(SocketActivation, ControlSocketKeepsTheModeOfItsUnit) {
  const BoundSocket control = BoundSocket::listening_file(control_path());
  ASSERT_EQ(::chmod(control_path().c_str(), 0600), 0);
  const Surroundings surroundings = {.sockets = {{"control", control.descriptor()}}};
  start({{"control", {{"mode", "0666"}}}}, surroundings);
  for (int time = 0; time < 2; ++time) {
    const Json answer = reload({{"control", {{"mode", "0644"}, {"max_clients", 60 + time}}},
                                {"state", {{"directory", state().string()}}}});
    EXPECT_EQ(answer.at("changed"), Json{"control.max_clients"});
    EXPECT_EQ(answer.at("needs_restart"), Json::array());
  }
  EXPECT_TRUE(daemon().logged("warning control.mode and control.group are not applied"));
  struct stat status{};
  ASSERT_EQ(::stat(control_path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

TEST_F(SocketActivation, ControlSocketIsFoundThroughASymbolicLink) {
  // As systemd has /run, and a configuration /var/run.
  const std::string run = directory().file("run");
  std::filesystem::create_directory(run);
  const std::string linked = directory().file("linked");
  std::filesystem::create_directory_symlink(run, linked);
  const BoundSocket control = BoundSocket::listening_file(run + "/control.sock");
  start({{"control", {{"socket", linked + "/control.sock"}}}},
        {.sockets = {{"meridiand-control.socket", control.descriptor()}}});
  EXPECT_TRUE(daemon().call("depth").contains("frames"));
  EXPECT_TRUE(daemon().logged("(inherited)"));
}

TEST_F(SocketActivation, ControlSocketOpenToAllIsWarnedOf) {
  const BoundSocket control = BoundSocket::listening_file(control_path());
  ASSERT_EQ(::chmod(control_path().c_str(), 0666), 0);
  start(Json::object(), {.sockets = {{"control", control.descriptor()}}});
  EXPECT_TRUE(daemon().logged(fmt::format(
      "warning mode 0666 of the inherited control socket {} lets every user", control_path())));
}

TEST_F(SocketActivation, MissingControlSocketFileNeedsItsUnitRestarted) {
  const BoundSocket control = BoundSocket::listening_file(control_path());
  start(Json::object(), {.sockets = {{"control", control.descriptor()}}});
  ControlClient before = daemon().connect();
  std::filesystem::remove(control_path());
  Json ready;
  EXPECT_TRUE(test::eventually([&] {
    ready = before.call("health").at("ready");
    return ready.at("reason") == "control_socket_gone";
  }));
  EXPECT_THAT(ready.at("message").get<std::string>(),
              AllOf(HasSubstr("restart the .socket unit"), testing::Not(HasSubstr("SIGHUP"))));
}

TEST_F(SocketActivation, UplinkIsFoundByItsPortAlone) {
  std::optional<BoundSocket> all;
  try {
    all.emplace(BoundSocket::listening_port_of_all());
  } catch (const std::system_error&) {
    GTEST_SKIP() << "there is no IPv6 here";
  }
  // ListenStream=PORT without FileDescriptorName=; the configuration names 127.0.0.1.
  start(listening(*all), {.sockets = {{"meridiand.socket", all->descriptor()}}});
  send_whole(all->port(), frames_of(1, 0, 10));
  EXPECT_EQ(daemon().call("depth").at("frames"), 10);
  EXPECT_FALSE(daemon().logged(" error "));
}

TEST_F(SocketActivation, UnusedSocketsAreNamedWhenTheStartFails) {
  const BoundSocket taken = BoundSocket::listening_port();
  const BoundSocket inherited = BoundSocket::listening_port();
  const std::string file =
      directory().write("meridiand.json", test::config_in(directory(), listening(taken)).dump());
  ChildProcess daemon =
      test::spawn_daemon(file, {.sockets = {{"telemetry", inherited.descriptor()}}});
  EXPECT_EQ(daemon.wait(test::at_most(std::chrono::seconds(10))), 1);
  EXPECT_THAT(daemon.err(),
              AllOf(HasSubstr(fmt::format("error the inherited socket \"telemetry\" ({}) had not "
                                          "been used",
                                          inherited.address())),
                    HasSubstr("Address already in use")));
}

TEST_F(SocketActivation, UplinksAreFoundByTheirAddress) {
  const BoundSocket first = BoundSocket::listening_port();
  const BoundSocket second = BoundSocket::listening_port();
  start({{"uplinks",
          {native_listener({{"listen", first.address()}}),
           packet_listener({{"listen", second.address()}})}}},
        {.sockets = {{"uplink", second.descriptor()}, {"uplink", first.descriptor()}}});
  send_whole(first.port(), frames_of(1, 0, 10));
  send_whole(second.port(), encode(SpacePacket{.apid = 3, .count = 7}));
  EXPECT_EQ(daemon().call("depth").at("frames"), 11);
  EXPECT_EQ(daemon().stat("/sessions/closed/end_of_stream"), 2U);
  EXPECT_FALSE(daemon().logged(" error "));
}

TEST_F(SocketActivation, UnnamedSocketsAreFoundByTheirAddresses) {
  // Without FileDescriptorName= systemd names them after the unit.
  const BoundSocket control = BoundSocket::listening_file(control_path());
  const BoundSocket uplink = BoundSocket::listening_port();
  const BoundSocket http = BoundSocket::listening_port();
  ControlClient early(control_path());
  early.send_line("depth");
  Json config = listening(uplink);
  config["http"]["listen"] = http.address();
  start(config, {.sockets = {{"meridiand.socket", http.descriptor()},
                             {"meridiand.socket", uplink.descriptor()},
                             {"meridiand-control.socket", control.descriptor()}}});
  EXPECT_EQ(early.read_json().at("frames"), 0);
  send_whole(uplink.port(), frames_of(1, 0, 10));
  EXPECT_EQ(daemon().call("depth").at("frames"), 10);
  EXPECT_EQ(test::http_get(daemon(), "/readyz").status, 200);
  EXPECT_FALSE(daemon().logged(" error "));
}

TEST_F(SocketActivation, UplinkIsFoundByItsListenersName) {
  const BoundSocket port = BoundSocket::listening_port();
  start(Json::object(), {.sockets = {{"packets", port.descriptor()}}});
  EXPECT_EQ(daemon().port("packets"), port.port()) << "whatever its listen says";
  EXPECT_NE(daemon().port("native"), port.port());
  send_whole(port.port(), encode(SpacePacket{.apid = 3, .count = 7}));
  EXPECT_EQ(daemon().call("depth").at("frames"), 1);
}

TEST_F(SocketActivation, UplinksThatWaitBeforeTheStartAreServed) {
  const BoundSocket port = BoundSocket::listening_port();
  UplinkClient early(port.port());
  early.send(frames_of(1, 0, 100));
  start(listening(port), {.sockets = {{"uplink", port.descriptor()}}});
  early.finish();
  EXPECT_EQ(daemon().connect().drain_all(), frames_of(1, 0, 100));
}

TEST_F(SocketActivation, UplinksThatConnectBetweenDaemonsAreServed) {
  const BoundSocket port = BoundSocket::listening_port();
  const BoundSocket control = BoundSocket::listening_file(control_path());
  const Surroundings surroundings = {
      .sockets = {{"control", control.descriptor()}, {"uplink", port.descriptor()}}};
  start(listening(port), surroundings);
  send_whole(port.port(), frames_of(1, 0, 10));
  for (std::uint64_t round = 1; round <= 3; ++round) {
    stop();
    UplinkClient between(port.port());
    between.send(frames_of(1, 10 * round, 10));
    start(listening(port), surroundings);
    between.finish();
  }
  EXPECT_EQ(test::satellite(daemon().call("satellites"), 1).at("gaps"), 0);
  EXPECT_EQ(daemon().connect().drain_all(), frames_of(1, 0, 40));
}

TEST_F(SocketActivation, ListenerKeepsAnInheritedSocketOverAReload) {
  const BoundSocket port = BoundSocket::listening_port();
  start(listening(port), {.sockets = {{"uplink", port.descriptor()}}});
  UplinkClient uplink(port.port());
  send_as_batch(uplink, frames_of(1, 0, 10));
  Json changes = listening(port);
  changes["uplinks"][0]["max_sessions"] = 5;
  changes["state"]["directory"] = state();
  EXPECT_EQ(reload(changes).at("changed"), Json{"uplinks[0].max_sessions"});
  send_whole(port.port(), frames_of(2, 0, 10));
  uplink.send(frames_of(1, 10, 10));
  uplink.finish();
  EXPECT_EQ(daemon().call("depth").at("frames"), 30);
}

TEST_F(SocketActivation, UnclaimedSocketIsOnlyLoggedAsAnError) {
  const BoundSocket unknown = BoundSocket::listening_port();
  const BoundSocket elsewhere = BoundSocket::listening_port();
  start(Json::object(),
        {.sockets = {{"telemetry", unknown.descriptor()}, {"uplink", elsewhere.descriptor()}}});
  for (const char* name : {"telemetry", "uplink"}) {
    EXPECT_TRUE(
        daemon().logged(fmt::format("error nothing listens on the inherited socket \"{}\"", name)));
  }
  send_whole(daemon().port(), frames_of(1, 0, 10));
  EXPECT_EQ(daemon().call("depth").at("frames"), 10);
}

TEST_F(SocketActivation, UnclaimedSocketServesAListenerAddedLater) {
  const BoundSocket later = BoundSocket::listening_port();
  start(Json::object(), {.sockets = {{"later", later.descriptor()}}});
  UplinkClient early(later.port());
  early.send(frames_of(1, 0, 3));
  reload({{"uplinks", {native_listener({{"name", "later"}, {"listen", later.address()}})}}});
  early.finish();
  EXPECT_EQ(daemon().stat("/ledger/received"), 3U);
}

TEST_F(SocketActivation, SocketServesItsListenerAgainAfterReloads) {
  const BoundSocket port = BoundSocket::listening_port();
  start(listening(port), {.sockets = {{"uplink", port.descriptor()}}});
  for (std::uint64_t round = 1; round <= 3; ++round) {
    reload({{"uplinks", {packet_listener({{"listen", "127.0.0.1:0"}})}}});
    reload(listening(port));
    send_whole(port.port(), frames_of(1, round, 1));
    EXPECT_EQ(daemon().stat("/ledger/received"), round);
  }
}

}  // namespace
}  // namespace meridian::test
