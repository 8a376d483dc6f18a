// A configuration that is read again while the daemon runs: limits, policies, log, control socket.
#include "integration/harness/bound_socket.hpp"
#include "integration/harness/daemon.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

namespace meridian::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Reload : public DaemonTest {
 protected:
  static Json buffer(std::uint64_t max_frames, const char* when_full) {
    return {{"buffer", {{"max_frames", max_frames}, {"when_full", when_full}}}};
  }
  Json ledger() { return daemon().call("stats").at("ledger"); }
  std::string file() const { return directory().file("meridiand.json"); }

  /// Fills a buffer of 100 frames and all that is in front of it, in batches of 10.
  void fill(UplinkClient& uplink) {
    Json entry;
    for (std::uint64_t sent = 0; sent < held_frames; sent += 10) {
      entry = send_as_batch(uplink, frames_of(1, sent, 10));
    }
    ASSERT_TRUE(eventually([&] { return state_of(uplink) == "held"; })) << entry;
  }
  static Json small_channel(Json changes) {
    changes["channel"]["capacity"] = 2;
    return changes;
  }
  // Ten batches in the buffer, one that the actor holds, two in the channel, one of the session.
  static constexpr std::uint64_t held_frames = 140;

  std::string state_of(UplinkClient& uplink) {
    return test::uplink(daemon().call("uplinks"), uplink.address()).at("state");
  }
};

TEST_F(Reload, SaysWhatHasChanged) {
  start();
  EXPECT_EQ(reload(Json::object()),
            (Json{{"changed", Json::array()}, {"needs_restart", Json::array()}}));
  EXPECT_TRUE(daemon().logged("reloaded: nothing has changed"));
  const Json answer = reload(
      {{"uplinks", {native_listener({{"max_sessions", 5}}), native_listener({{"name", "second"}})}},
       {"buffer", {{"max_frames", 5}}}});
  EXPECT_EQ(answer.at("changed"),
            (Json{"uplinks[1] (\"packets\", removed)", "uplinks[0].max_sessions",
                  "uplinks[1] (\"second\", added)", "buffer.max_frames"}));
  EXPECT_TRUE(daemon().logged("info reloaded: uplinks[1] (\"packets\", removed), "));
}

TEST_F(Reload, LowerBoundDropsTheOldestAtOnce) {
  start(buffer(1000, "drop_oldest"));
  send_whole(daemon().port(), frames_of(1, 0, 100));
  EXPECT_EQ(reload(buffer(30, "drop_oldest")).at("changed"), Json{"buffer.max_frames"});
  const Json stats = daemon().call("stats");
  EXPECT_EQ(stats.at("buffer").at("max_frames"), 30);
  EXPECT_EQ(stats.at("ledger").at("dropped").at("buffer_full_oldest"), 70);
  EXPECT_TRUE(balanced(stats));
  EXPECT_EQ(satellite(daemon().call("satellites"), 1).at("dropped"), 70);
  EXPECT_EQ(daemon().connect().drain_all(), frames_of(1, 70, 30));
}

TEST_F(Reload, WiderBoundLetsHeldUplinksGoOn) {
  start(small_channel(buffer(100, "backpressure")));
  UplinkClient uplink(daemon().port());
  ASSERT_NO_FATAL_FAILURE(fill(uplink));
  ASSERT_EQ(ledger().at("received"), 100);
  reload(small_channel(buffer(1000, "backpressure")));
  EXPECT_TRUE(eventually([&] { return ledger().at("received") == held_frames; })) << ledger();
  EXPECT_TRUE(eventually([&] { return state_of(uplink) == "receiving"; }));
  uplink.send(frames_of(1, held_frames, 10));
  uplink.finish();
  EXPECT_EQ(daemon().connect().drain_all(), frames_of(1, 0, held_frames + 10));
}

TEST_F(Reload, OtherPolicyAppliesToWhatIsHeldToo) {
  start(small_channel(buffer(100, "backpressure")));
  UplinkClient uplink(daemon().port());
  ASSERT_NO_FATAL_FAILURE(fill(uplink));
  reload(small_channel(buffer(100, "drop_oldest")));
  EXPECT_TRUE(eventually([&] { return ledger().at("received") == held_frames; })) << ledger();
  EXPECT_EQ(ledger().at("dropped").at("buffer_full_oldest"), held_frames - 100);
  EXPECT_EQ(daemon().connect().drain_all(), frames_of(1, held_frames - 100, 100));
}

TEST_F(Reload, LogLevelApplies) {
  start();
  reload({{"log", {{"level", "error"}}}});
  send_whole(daemon().port(), frames_of(1, 0, 1));
  EXPECT_FALSE(daemon().logged("connected"));
  const std::size_t lines = test::lines_of(daemon().log()).size();
  reload({{"log", {{"level", "info"}}}});
  EXPECT_TRUE(daemon().logged("reloaded: log.level"));
  EXPECT_EQ(test::lines_of(daemon().log()).size(), lines + 1);
  send_whole(daemon().port(), frames_of(1, 1, 1));
  EXPECT_TRUE(daemon().logged("connected"));
}

TEST_F(Reload, LogGoesToAnotherTargetInAnotherFormat) {
  start();
  const std::string log = directory().file("meridiand.log");
  reload({{"log", {{"target", log}, {"format", "json"}}}});
  send_whole(daemon().port(), frames_of(1, 0, 1));
  stop();
  EXPECT_FALSE(daemon().logged("reloaded"));
  EXPECT_FALSE(daemon().logged("connected"));
  std::vector<std::string> messages;
  for (const std::string& line : test::lines_of(read_file(log))) {
    messages.push_back(Json::parse(line).at("message"));
  }
  EXPECT_THAT(messages, AllOf(testing::Contains(HasSubstr("reloaded")),
                              testing::Contains(HasSubstr("connected")),
                              testing::Contains(HasSubstr("stopped"))));
}

TEST_F(Reload, SighupOpensTheLogFileAnew) {
  const std::string log = directory().file("meridiand.log");
  start({{"log", {{"target", log}}}});
  const std::string rotated = log + ".1";
  std::filesystem::rename(log, rotated);
  send_whole(daemon().port(), frames_of(1, 0, 1));
  daemon().process().signal(SIGHUP);
  // Each file has its lines behind what is done.
  const auto comes_to_have = [](const std::string& path, std::string_view text) {
    return eventually([&] {
      return std::filesystem::exists(path) && read_file(path).find(text) != std::string::npos;
    });
  };
  ASSERT_TRUE(comes_to_have(log, "reloaded"));
  ASSERT_TRUE(comes_to_have(rotated, " closed: ")) << "the last line before that";
  const std::string old = read_file(rotated);
  EXPECT_THAT(old, HasSubstr("connected"));
  send_whole(daemon().port(), frames_of(2, 0, 1));
  EXPECT_TRUE(comes_to_have(log, "connected"));
  EXPECT_EQ(read_file(rotated), old);
}

TEST_F(Reload, ControlSocketHasOtherLimitsAndAnotherMode) {
  start();
  ControlClient client = daemon().connect();
  const std::string line = "depth" + std::string(200, ' ');
  ASSERT_TRUE(client.ask(line).contains("frames"));
  struct stat status{};
  ASSERT_EQ(::stat(daemon().socket().c_str(), &status), 0);
  ASSERT_EQ(status.st_mode & 07777U, 0660U);

  daemon().configure(
      config_in(directory(),
                {{"control", {{"max_clients", 1}, {"max_request_bytes", 100}, {"mode", "0600"}}}}));
  const Json answer = client.ask(rpc("reload"));
  EXPECT_EQ(answer.at("result").at("changed"),
            (Json{"control.mode", "control.max_clients", "control.max_request_bytes"}));
  EXPECT_TRUE(eventually([&] {
    return ::stat(daemon().socket().c_str(), &status) == 0 && (status.st_mode & 07777U) == 0600U;
  }));
  ControlClient second = daemon().connect();
  EXPECT_EQ(error_code_of(second.read_json()), -32001) << "the first one is still there";
  EXPECT_EQ(error_code_of(client.ask(line)), -32000);
}

TEST_F(Reload, ListsAndKeepsKeysThatNeedARestart) {
  start();
  const Json answer = reload({{"channel", {{"capacity", 7}}},
                              {"threads", 3},
                              {"state", {{"directory", directory().file("state")}}},
                              {"control", {{"socket", directory().file("other.sock")}}},
                              {"buffer", {{"max_frames", 77}}}});
  EXPECT_EQ(answer.at("changed"), Json{"buffer.max_frames"});
  EXPECT_THAT(answer.at("needs_restart").get<std::vector<std::string>>(),
              testing::UnorderedElementsAre("channel.capacity", "threads", "state.directory",
                                            "control.socket"));
  EXPECT_TRUE(daemon().logged("warning a restart is needed for "));
  const Json stats = daemon().call("stats");
  EXPECT_EQ(stats.at("channel").at("capacity"), 128);
  EXPECT_EQ(stats.at("state").at("directory"), nullptr);
  EXPECT_EQ(stats.at("buffer").at("max_frames"), 77);
  EXPECT_FALSE(std::filesystem::exists(directory().file("other.sock")));
}

TEST_F(Reload, UnderFullLoadLosesNothing) {
  constexpr std::uint64_t uplinks = 8;
  const std::uint64_t each = 50'000 + scaled(150'000);
  const auto config = [](bool other) {
    Json json = buffer(other ? 5'000'000 : 4'000'000, "backpressure");
    json["uplinks"] = {native_listener({{"max_payload_bytes", other ? 1000 : 2000},
                                        {"max_sessions", other ? 10 : 20},
                                        {"idle_timeout_s", other ? 0 : 3600}}),
                       other ? packet_listener() : native_listener({{"name", "third"}})};
    json["log"]["level"] = other ? "warning" : "info";
    return json;
  };
  start(config(false));
  ChildProcess sim({test::meridian_sim, "--connect", fmt::format("127.0.0.1:{}", daemon().port()),
                    "--uplinks", std::to_string(uplinks), "--frames", std::to_string(each),
                    "--payload-bytes", "16"});
  std::uint64_t reloads = 0;
  while (sim.running() && reloads < 10'000) {
    EXPECT_EQ(reload(config(++reloads % 2 == 1)).at("needs_restart"), Json::array());
  }
  ASSERT_EQ(sim.wait(at_most(std::chrono::seconds(60))), 0) << sim.err();
  EXPECT_GT(reloads, 3U);

  EXPECT_EQ(ledger().at("received"), uplinks * each);
  const std::string octets =
      daemon().connect().drain_binary({{"max_frames", 1'000'000'000}}).octets;
  std::map<std::uint32_t, std::uint64_t> next;
  std::uint64_t faults = 0;
  test::for_each_native(octets, [&](std::uint32_t id, std::uint64_t sequence, std::size_t) {
    faults += sequence == next[id]++ ? 0 : 1;
  });
  EXPECT_EQ(faults, 0U);
  ASSERT_EQ(next.size(), uplinks);
  for (const auto& [id, frames] : next) {
    EXPECT_EQ(frames, each) << "satellite " << id;
  }
}

/// A group that this user is not in.
std::optional<std::string> group_of_others() {
  std::vector<gid_t> own(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
  own.resize(
      static_cast<std::size_t>(std::max(0, ::getgroups(static_cast<int>(own.size()), own.data()))));
  own.push_back(::getegid());
  std::optional<std::string> found;
  ::setgrent();
  while (const group* const entry = found ? nullptr : ::getgrent()) {
    if (std::ranges::find(own, entry->gr_gid) == own.end()) {
      found = entry->gr_name;
    }
  }
  ::endgrent();
  return found;
}

class RefusedReload : public Reload {
 protected:
  void start_with_frames(const Surroundings& surroundings = {}) {
    start(Json::object(), surroundings);
    uplink_.emplace(daemon().port());
    send_as_batch(*uplink_, frames_of(1, 0, 100));
    before_ = daemon().call("stats");
    listeners_ = daemon().call("uplinks").at("listeners");
  }

  /// Asks for a reload that must be refused, and checks that nothing has changed.
  std::string reload_refused() {
    const Json answer = daemon().connect().ask(rpc("reload"));
    EXPECT_EQ(error_code_of(answer), -32003) << answer;
    const Json stats = daemon().call("stats");
    EXPECT_EQ(stats.at("ledger"), before_.at("ledger"));
    EXPECT_EQ(stats.at("buffer"), before_.at("buffer"));
    EXPECT_EQ(stats.at("sessions"), before_.at("sessions"));
    EXPECT_EQ(daemon().call("uplinks").at("listeners"), listeners_);
    struct stat socket{};
    EXPECT_EQ(::stat(daemon().socket().c_str(), &socket), 0);
    EXPECT_EQ(socket.st_mode & 07777U, 0660U);
    std::string message = error_message_of(answer);
    EXPECT_TRUE(daemon().logged(
        "error the new configuration is refused, and the old one stays in use: " + message));
    send_as_batch(*uplink_, frames_of(1, 100, 10));  // the session goes on
    send_whole(daemon().port(), frames_of(2, 0, 10));
    EXPECT_TRUE(eventually([&] { return daemon().call("depth").at("frames") == 120; }));
    return message;
  }

  std::optional<UplinkClient> uplink_;
  Json before_;
  Json listeners_;
};

TEST_F(RefusedReload, NamesFileAndKey) {
  start_with_frames();
  Json config = config_in(directory(), buffer(10, "drop_oldest"));
  config["uplinks"][0]["max_session"] = 5;
  daemon().configure(config);
  EXPECT_THAT(reload_refused(), AllOf(HasSubstr(file()), HasSubstr("uplinks[0].max_session")));
}

TEST_F(RefusedReload, NamesAFileThatIsNoJson) {
  start_with_frames();
  std::ignore = directory().write("meridiand.json", R"({"buffer": {"max_frames": 10})");
  EXPECT_THAT(reload_refused(), HasSubstr(file()));
}

TEST_F(RefusedReload, NamesAFileThatIsGone) {
  start_with_frames();
  std::filesystem::remove(file());
  EXPECT_THAT(reload_refused(), AllOf(HasSubstr(file()), HasSubstr("cannot be read")));
}

TEST_F(RefusedReload, NamesAnAddressThatIsInUse) {
  start_with_frames();
  const BoundSocket other = BoundSocket::listening_port();
  Json changes = buffer(10, "drop_oldest");
  changes["uplinks"] = {native_listener({{"name", "first"}}),
                        native_listener({{"name", "taken"}, {"listen", other.address()}})};
  changes["control"]["mode"] = "0600";
  daemon().configure(config_in(directory(), changes));
  EXPECT_THAT(reload_refused(), AllOf(HasSubstr("taken"), HasSubstr(other.address()),
                                      HasSubstr("Address already in use")));
}

TEST_F(RefusedReload, NamesALogThatCannotBeOpened) {
  start_with_frames();
  Json changes = buffer(10, "drop_oldest");
  changes["log"]["target"] = directory().file("missing/meridiand.log");
  daemon().configure(config_in(directory(), changes));
  EXPECT_THAT(reload_refused(),
              AllOf(HasSubstr("log.target"), HasSubstr(directory().file("missing"))));
}

TEST_F(RefusedReload, NamesASocketWhoseAccessCannotBeChanged) {
  const auto group = group_of_others();
  if (!group) {
    GTEST_SKIP() << "this user is in every group that there is";
  }
  // Root could give it to any group.
  const bool is_root = ::geteuid() == 0;
  start_with_frames({.through = is_root
                                    ? ChildProcess::Arguments{"setpriv", "--bounding-set=-chown"}
                                    : ChildProcess::Arguments{}});
  Json changes = buffer(10, "drop_oldest");
  changes["uplinks"] = {native_listener({{"name", "first"}}), native_listener({{"name", "new"}})};
  changes["control"] = {{"mode", "0600"}, {"group", *group}};
  daemon().configure(config_in(directory(), changes));
  EXPECT_THAT(reload_refused(),
              AllOf(HasSubstr(daemon().socket()), HasSubstr("cannot give it to group")));
}

TEST_F(RefusedReload, NamesASocketThatSomebodyElseHasTaken) {
  start_with_frames();
  ControlClient client = daemon().connect();
  std::filesystem::remove(daemon().socket());
  const BoundSocket other = BoundSocket::listening_file(daemon().socket());
  Json changes = buffer(10, "drop_oldest");
  changes["uplinks"] = {native_listener({{"name", "first"}}), native_listener({{"name", "new"}})};
  changes["control"]["mode"] = "0600";
  daemon().configure(config_in(directory(), changes));
  const Json answer = client.ask(rpc("reload"));
  EXPECT_EQ(error_code_of(answer), -32003) << answer;
  EXPECT_THAT(error_message_of(answer),
              AllOf(HasSubstr(daemon().socket()), HasSubstr("another program listens there")));
  EXPECT_EQ(client.ask("uplinks").at("listeners"), listeners_);
  EXPECT_EQ(client.ask("depth").at("frames"), 100) << "the new limit holds 10";
}

TEST_F(RefusedReload, IsLoggedWhereASignalAskedForIt) {
  start_with_frames();
  std::ignore = directory().write("meridiand.json", R"({"bufer": {}})");
  daemon().process().signal(SIGHUP);
  EXPECT_TRUE(
      eventually([&] { return daemon().logged("error the new configuration is refused"); }));
  EXPECT_TRUE(daemon().logged("bufer"));
  EXPECT_EQ(daemon().call("depth").at("frames"), 100);
}

TEST_F(Reload, MeridianctlTellsPeopleAndPrograms) {
  start();
  const auto ctl = [this](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {test::meridianctl, "--socket", daemon().socket()});
    return test::run(arguments);
  };
  daemon().configure(config_in(directory(), {{"buffer", {{"max_frames", 5}}}, {"threads", 5}}));
  const Finished changed = ctl({"reload"});
  EXPECT_EQ(changed.status, 0) << changed.err;
  EXPECT_THAT(changed.out, AllOf(HasSubstr("buffer.max_frames"), HasSubstr("threads")));
  const Finished again = ctl({"--json", "reload"});
  EXPECT_EQ(again.status, 0);
  EXPECT_EQ(Json::parse(again.out),
            (Json{{"changed", Json::array()}, {"needs_restart", {"threads"}}}));

  std::ignore = directory().write("meridiand.json", R"({"buffer": {"max_frames": 0}})");
  const Finished refused = ctl({"reload"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_EQ(refused.out, "");
  EXPECT_THAT(refused.err, AllOf(testing::StartsWith("meridianctl: "), HasSubstr(file()),
                                 HasSubstr("buffer.max_frames")));
}

}  // namespace
}  // namespace meridian::test
