// Who may use the control socket, who did, and what the log tells programs.
#include "integration/harness/bound_socket.hpp"
#include "integration/harness/daemon.hpp"
#include "integration/harness/ordinary_user.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <stdexcept>

#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

namespace meridian::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// A group that this process may give files to and that is not its own, if it knows one.
std::optional<std::string> other_group() {
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
  groups.resize(static_cast<std::size_t>(
      std::max(0, ::getgroups(static_cast<int>(groups.size()), groups.data()))));
  if (::geteuid() == 0) {
    groups.push_back(1);  // "daemon", as on any Debian
  }
  for (const gid_t id : groups) {
    const group* const entry = id == ::getegid() ? nullptr : ::getgrgid(id);
    if (entry != nullptr) {
      return entry->gr_name;
    }
  }
  return std::nullopt;
}

class ControlAccess : public DaemonTest {
 protected:
  [[nodiscard]] struct stat socket_status() {
    struct stat status{};
    EXPECT_EQ(::stat(daemon().socket().c_str(), &status), 0);
    return status;
  }
};

TEST_F(ControlAccess, SocketIsGivenToTheGroup) {
  const auto name = other_group();
  if (!name) {
    GTEST_SKIP() << "this user is in no other group; root could give it to any";
  }
  start({{"control", {{"group", *name}, {"mode", "0620"}}}});
  EXPECT_EQ(socket_status().st_gid, ::getgrnam(name->c_str())->gr_gid);
  EXPECT_EQ(socket_status().st_mode & 07777U, 0620U);
  reload({{"control", {{"group", nullptr}, {"mode", "0600"}}}});
  EXPECT_TRUE(eventually([&] { return (socket_status().st_mode & 07777U) == 0600U; }));
  EXPECT_EQ(socket_status().st_gid, ::getegid());
}

TEST_F(ControlAccess, UnknownGroupIsAnErrorOfTheConfiguration) {
  const Json config = config_in(directory(), {{"control", {{"group", "no-such-group"}}}});
  const Finished refused =
      test::run({test::meridiand, "--config", directory().write("c.json", config.dump())});
  EXPECT_EQ(refused.status, 78);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("control.group"), HasSubstr("no-such-group")));
}

TEST_F(ControlAccess, ModeKeepsOtherUsersOut) {
  const auto ordinary_user = test::as_ordinary_user(test::meridianctl);
  if (::geteuid() != 0 || !ordinary_user) {
    GTEST_SKIP() << "needs root, and a second user who can run " << test::meridianctl;
  }
  std::filesystem::permissions(directory().path(), std::filesystem::perms(0755));
  start();
  const auto ask = [&] {
    test::ChildProcess::Arguments command = *ordinary_user;
    command.insert(command.end(), {test::meridianctl, "--socket", daemon().socket(), "flush"});
    return test::run(command);
  };
  const Finished refused = ask();
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("Permission denied"));
  reload({{"control", {{"mode", "0666"}}}});
  ASSERT_TRUE(eventually([&] { return (socket_status().st_mode & 07777U) == 0666U; }));
  EXPECT_EQ(ask().status, 0);
  EXPECT_TRUE(
      daemon().logged(fmt::format("flush: discarded 0 frames (by uid {}, pid ", test::nobody)));
}

/// Lines of a log in JSON that have a field.
std::vector<Json> lines_with(const test::Daemon& daemon, const std::string& field) {
  std::vector<Json> lines;
  for (const std::string& line : test::lines_of(daemon.log())) {
    if (Json json = Json::parse(line); json.contains(field)) {
      lines.push_back(std::move(json));
    }
  }
  return lines;
}

class LogFields : public ControlAccess {
 protected:
  static Json in_json(Json changes = Json::object()) {
    changes["log"]["format"] = "json";
    return changes;
  }

  /// The only line with this value of a field.
  Json line_with(const std::string& field, const std::string& value, const std::string& level) {
    std::vector<Json> lines;
    EXPECT_TRUE(eventually([&] {
      lines = lines_with(daemon(), field);
      std::erase_if(lines, [&](const Json& line) {
        return line.at(field) != value || line.at("level") != level;
      });
      return lines.size() == 1;
    })) << field
        << " " << value;
    return lines.empty() ? Json::object() : lines.front();
  }
};

TEST_F(LogFields, SayWhoAskedForWhatChangesSomething) {
  start(in_json());
  send_whole(daemon().port(), frames_of(1, 0, 10));
  ControlClient control = daemon().connect();
  control.call("drain", {{"max_frames", 4}});
  control.call("flush");
  control.call("reload");
  for (const char* only_asks : {"depth", "stats", "uplinks", "satellites", "version"}) {
    control.call(only_asks);
  }
  EXPECT_TRUE(eventually([&] { return lines_with(daemon(), "request").size() == 3; }));
  for (const char* request : {"drain", "flush", "reload"}) {
    const Json line = line_with("request", request, "info");
    EXPECT_EQ(line.at("uid"), std::to_string(::getuid()));
    EXPECT_EQ(line.at("pid"), std::to_string(::getpid()));
    EXPECT_THAT(line.at("message").get<std::string>(),
                AllOf(HasSubstr(request), HasSubstr(fmt::format("by uid {}", ::getuid()))));
  }
  EXPECT_THAT(line_with("request", "drain", "info").at("message").get<std::string>(),
              HasSubstr("4 frames"));
  EXPECT_THAT(line_with("request", "flush", "info").at("message").get<std::string>(),
              HasSubstr("6 frames"));
}

TEST_F(LogFields, ManyDrainsMakeFewLinesThatAddUp) {
  constexpr std::size_t count = 3000;
  start(in_json());
  send_whole(daemon().port(), frames_of(1, 0, count));
  const auto begin = std::chrono::steady_clock::now();
  {
    ControlClient control = daemon().connect();
    for (std::size_t drained = 0; drained < count; drained += 3) {
      control.call("drain", {{"max_frames", 3}});
    }
  }
  const auto seconds =
      std::chrono::ceil<std::chrono::seconds>(std::chrono::steady_clock::now() - begin).count();
  stop();
  std::size_t lines = 0;
  std::uint64_t frames = 0;
  std::uint64_t requests = 0;
  for (const Json& line : lines_with(daemon(), "request")) {
    const auto message = line.at("message").get<std::string>();
    const std::size_t numbers = message.find(": ") + 2;
    ++lines;
    frames += std::stoull(message.substr(numbers));
    requests += std::stoull(message.substr(message.find("frames in ") + 10));
  }
  EXPECT_GE(lines, 2U) << "the first at once, and the others together";
  EXPECT_LE(lines, 2U + static_cast<std::size_t>(seconds));
  EXPECT_EQ(frames, count);
  EXPECT_EQ(requests, count / 3);
}

TEST_F(LogFields, NameUplinkListenerPeerAndReason) {
  start(in_json());
  UplinkClient good(daemon().port());
  good.send(frames_of(1, 0, 1));
  good.finish();
  UplinkClient bad(daemon().port());
  bad.send(frames_of(1, 1, 1));
  bad.send(std::string(20, '\xFF'));
  bad.socket().wait_closed();

  const Json closed = line_with("reason", "end_of_stream", "info");
  EXPECT_EQ(closed.at("listener"), "native");
  EXPECT_EQ(closed.at("uplink"), "1");
  EXPECT_EQ(closed.at("peer"), good.address());
  const Json malformed = line_with("reason", "length_too_large", "warning");
  EXPECT_EQ(malformed.at("listener"), "native");
  EXPECT_EQ(malformed.at("uplink"), "2");
  EXPECT_EQ(malformed.at("peer"), bad.address());
  std::vector<Json> of_the_first = lines_with(daemon(), "uplink");
  std::erase_if(of_the_first, [](const Json& line) { return line.at("uplink") != "1"; });
  EXPECT_EQ(of_the_first.size(), 2U) << "connected and closed";
}

TEST_F(LogFields, NameSatellitesOfDrops) {
  start(in_json({{"buffer", {{"max_frames", 10}}}}));
  send_whole(daemon().port(), frames_of(77, 0, 10));
  send_whole(daemon().port(), frames_of(78, 0, 10));
  send_whole(daemon().port(), frames_of(79, 0, 10));
  stop();
  std::uint64_t frames = 0;
  std::vector<std::string> satellites;
  for (const Json& line : lines_with(daemon(), "satellite")) {
    EXPECT_EQ(line.at("level"), "warning");
    EXPECT_EQ(line.at("reason"), "buffer_full_oldest");
    const auto message = line.at("message").get<std::string>();
    frames += std::stoull(message.substr(message.find("dropped ") + 8));
    const Json& named = line.at("satellite");
    const std::vector<std::string> all =
        named.is_array() ? named.get<std::vector<std::string>>() : std::vector<std::string>{named};
    satellites.insert(satellites.end(), all.begin(), all.end());
  }
  EXPECT_EQ(frames, 20U);
  EXPECT_THAT(satellites, testing::IsSupersetOf({"77", "78"}));
  EXPECT_THAT(satellites, testing::Not(testing::Contains("79")));
}

class Loopback : public LogFields {
 protected:
  bool warned_of(const std::string& listener) {
    const std::vector<Json> lines = lines_with(daemon(), "reason");
    return std::ranges::any_of(lines, [&](const Json& line) {
      return line.at("reason") == "not_loopback" && line.at("listener") == listener &&
             line.at("level") == "warning";
    });
  }
};

TEST_F(Loopback, ListenerThatOthersCanReachSaysSo) {
  start(in_json(
      {{"uplinks",
        {native_listener(), native_listener({{"name", "open"}, {"listen", "0.0.0.0:0"}})}}}));
  EXPECT_TRUE(eventually([&] { return warned_of("open"); }));
  EXPECT_FALSE(warned_of("native"));
  reload(in_json({{"uplinks", {native_listener({{"listen", "0.0.0.0:0"}})}}}));
  EXPECT_TRUE(eventually([&] { return warned_of("native"); })) << "also after a reload";
}

TEST_F(Loopback, ListenerOfTheOtherProtocolsLoopbackDoesNot) {
  try {
    start(in_json({{"uplinks", {native_listener({{"listen", "[::1]:0"}})}}}));
  } catch (const std::runtime_error& error) {
    if (std::string_view(error.what()).find("assign requested address") == std::string_view::npos) {
      throw;
    }
    GTEST_SKIP() << "there is no IPv6 here";
  }
  ASSERT_TRUE(daemon().logged("ready"));  // after the listeners
  EXPECT_FALSE(warned_of("native"));
}

}  // namespace
}  // namespace meridian::test
