// What a service manager is told, and when.
#include "integration/harness/bound_socket.hpp"
#include "integration/harness/notify_socket.hpp"
#include "integration/harness/saved_state.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

namespace meridian::test {
namespace {

using namespace std::chrono_literals;

using Message = NotifySocket::Message;

class Service : public StateTest {
 protected:
  test::Daemon& start_told(const Json& changes = Json::object()) {
    return start(changes, {.environment = {notify_.variable()}});
  }

  /// The next message that is more than a sign of life.
  std::optional<Message> next_change() {
    std::optional<Message> message;
    const bool came = eventually([&] {
      message = notify_.receive();
      return !message || !message->contains("WATCHDOG");
    });
    return came ? message : std::nullopt;
  }

  NotifySocket notify_{directory()};
};

std::uint64_t monotonic_us() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

TEST_F(Service, IsReadyOnceListeningWithItsStateRestored) {
  constexpr std::size_t count = 50'000;
  start();
  test::send_whole(daemon().port(), frames_of(1, 0, count));
  stop();

  const BoundSocket port = BoundSocket::reserved_port();
  const Json config =
      config_in(directory(), {{"uplinks", {native_listener({{"listen", port.address()}})}},
                              {"state", {{"directory", state().string()}}}});
  ChildProcess process = test::spawn_daemon(directory().write("c.json", config.dump()),
                                            {.environment = {notify_.variable()}});
  ASSERT_TRUE(notify_.receive_with("READY")) << process.err();
  const std::string restored = fmt::format("restored {} frames", count);
  // It writes its lines behind what it does.
  EXPECT_TRUE(eventually([&] { return process.err().find(restored) != std::string::npos; }))
      << process.err();
  // Nothing here asks a second time.
  ControlClient control(config.at("control").at("socket").get<std::string>());
  EXPECT_EQ(control.call("depth").at("frames"), count);
  test::send_whole(port.port(), frames_of(1, count, 1));
  EXPECT_EQ(control.call("depth").at("frames"), count + 1);
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait(), 0);
}

TEST_F(Service, IsNotReadyWhereTheStartFails) {
  const BoundSocket taken = BoundSocket::listening_port();
  const Json config =
      config_in(directory(), {{"uplinks", {native_listener({{"listen", taken.address()}})}}});
  ChildProcess process = test::spawn_daemon(directory().write("c.json", config.dump()),
                                            {.environment = {notify_.variable()}});
  EXPECT_EQ(process.wait(), 1);
  EXPECT_EQ(notify_.receive(0ms), std::nullopt);
}

TEST_F(Service, StatusHasUplinksAndDepth) {
  start_told();
  UplinkClient first(daemon().port());
  UplinkClient second(daemon().port());
  send_as_batch(first, frames_of(1, 0, 1234));
  send_as_batch(second, frames_of(2, 0, 1));
  std::string status;
  EXPECT_TRUE(eventually([&] {
    const auto message = notify_.receive_with("STATUS");
    status = message ? message->at("STATUS") : "";
    return status.find("2 uplinks, 1,235 frames") != std::string::npos;
  })) << status;
}

TEST_F(Service, ReloadIsAnnouncedAndEnds) {
  start_told();
  EXPECT_EQ(next_change(), (Message{{"READY", "1"}}));
  for (const char* config : {R"({"bufer": {}})", R"({})"}) {  // refused, and not
    SCOPED_TRACE(config);
    const std::uint64_t before = monotonic_us();
    Json changed = config_in(directory());
    changed.update(Json::parse(config));
    daemon().configure(changed);
    daemon().process().signal(SIGHUP);
    const std::optional<Message> reloading = next_change();
    ASSERT_TRUE(reloading && reloading->contains("MONOTONIC_USEC"));
    EXPECT_EQ(reloading->at("RELOADING"), "1");
    const std::uint64_t told = std::stoull(reloading->at("MONOTONIC_USEC"));
    EXPECT_GE(told, before);
    EXPECT_LE(told, monotonic_us());
    EXPECT_EQ(next_change(), (Message{{"READY", "1"}}));
  }
}

TEST_F(Service, StopIsAnnounced) {
  start_told();
  EXPECT_EQ(next_change(), (Message{{"READY", "1"}}));
  ASSERT_TRUE(notify_.receive_with("WATCHDOG")) << "or the first might come in between";
  stop();
  EXPECT_EQ(next_change(), (Message{{"STOPPING", "1"}}));
  EXPECT_EQ(notify_.receive(0ms), std::nullopt) << "no sign of life after that";
}

class Watchdog : public Service {
 protected:
  static inline const std::chrono::milliseconds interval = at_most(600ms);

  void start_watched() {
    start(Json::object(),
          {.environment = {notify_.variable(),
                           fmt::format("WATCHDOG_USEC={}", interval.count() * 1000)}});
  }
};

TEST_F(Watchdog, IsAnsweredInTime) {
  start_watched();
  ASSERT_TRUE(notify_.receive_with("WATCHDOG"));
  for (int i = 0; i < 5; ++i) {
    const auto before = std::chrono::steady_clock::now();
    ASSERT_TRUE(notify_.receive_with("WATCHDOG"));
    EXPECT_LT(std::chrono::steady_clock::now() - before, interval);
  }
}

TEST_F(Watchdog, IsAnsweredWhileAReloadWaits) {
  start_watched();
  const std::string file = directory().file("meridiand.json");
  std::filesystem::remove(file);
  ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  ControlClient reloads = daemon().connect();
  reloads.send_line(test::rpc("reload"));
  ASSERT_TRUE(notify_.receive_with("RELOADING"));
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(notify_.receive_with("WATCHDOG"));
    ASSERT_EQ(daemon().call("health").at("alive").at("status"), "ok");
  }
  daemon().process().signal(SIGHUP);  // this one waits for the other

  const Json config = config_in(
      directory(), {{"buffer", {{"max_frames", 7}}}, {"state", {{"directory", state().string()}}}});
  const std::string text = config.dump();
  const int writer = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);  // waits for whoever reads
  ASSERT_EQ(::write(writer, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ::close(writer);
  EXPECT_EQ(reloads.read_json().at("result").at("changed"), Json{"buffer.max_frames"});
  const auto begun = std::chrono::steady_clock::now();
  stop();  // while the second one hangs
  EXPECT_LT(std::chrono::steady_clock::now() - begun, at_most(5s));
}

TEST_F(Watchdog, IsNotAnsweredByAFrozenDaemon) {
  start_watched();
  ASSERT_TRUE(notify_.receive_with("WATCHDOG"));
  daemon().process().signal(SIGSTOP);
  ASSERT_TRUE(eventually([&] { return daemon().process().halted(); }));
  while (notify_.receive(0ms)) {  // what was on its way
  }
  EXPECT_EQ(notify_.receive(2 * interval), std::nullopt);
  daemon().process().signal(SIGCONT);
  EXPECT_TRUE(notify_.receive_with("WATCHDOG"));
}

TEST_F(Watchdog, IsAnsweredUnderBackpressure) {
  start(Json{{"buffer", {{"max_frames", 10}, {"when_full", "backpressure"}}},
             {"channel", {{"capacity", 1}}}},
        {.environment = {notify_.variable(),
                         fmt::format("WATCHDOG_USEC={}", interval.count() * 1000)}});
  UplinkClient uplink(daemon().port());
  for (std::uint64_t batch = 0; batch < 4; ++batch) {
    send_as_batch(uplink, frames_of(1, 10 * batch, 10));
  }
  while (notify_.receive(0ms)) {
  }
  EXPECT_TRUE(notify_.receive_with("WATCHDOG")) << "a full buffer is no reason to be restarted";
}

TEST_F(Watchdog, ThatDoesNotReadHoldsNothingUp) {
  // Signs of life come each millisecond, and soon the socket has no room for more.
  start(Json::object(), {.environment = {notify_.variable(), "WATCHDOG_USEC=3000"}});
  UplinkClient uplink(daemon().port());
  ControlClient control = daemon().connect();
  const auto until = std::chrono::steady_clock::now() + 2s;
  std::uint64_t sent = 0;
  while (std::chrono::steady_clock::now() < until) {
    uplink.send(frames_of(1, sent++, 1));
    ASSERT_TRUE(eventually([&] { return control.call("depth").at("frames") == sent; }));
  }
  uplink.finish();
  stop();
}

}  // namespace
}  // namespace meridian::test
