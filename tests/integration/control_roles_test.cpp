// Who may do what over the control socket, by group.
#include "integration/harness/bound_socket.hpp"
#include "integration/harness/daemon.hpp"
#include "integration/harness/ordinary_user.hpp"
#include "status/version.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <tuple>
#include <vector>

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

namespace meridian::test {
namespace {

using testing::HasSubstr;

// On any Debian. Nobody is in them.
constexpr const char* operators = "operator";
constexpr const char* readers = "games";

/// For as long as it lives this process is an ordinary user, in these groups besides its own: so
/// the daemon sees whoever connects.
class MemberOf {
 public:
  explicit MemberOf(const std::vector<gid_t>& groups) {
    std::ignore = ::setgroups(groups.size(), groups.data());
    std::ignore = ::setegid(test::nobody);
    std::ignore = ::seteuid(test::nobody);
  }
  MemberOf(const MemberOf&) = delete;
  MemberOf& operator=(const MemberOf&) = delete;
  ~MemberOf() {
    std::ignore = ::seteuid(0);
    std::ignore = ::setegid(0);
    std::ignore = ::setgroups(before_.size(), before_.data());
  }

 private:
  static std::vector<gid_t> groups_of_process() {
    std::vector<gid_t> all(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
    std::ignore = ::getgroups(static_cast<int>(all.size()), all.data());
    return all;
  }

  std::vector<gid_t> before_ = groups_of_process();
};

class ControlRoles : public test::DaemonTest {
 protected:
  void SetUp() override {
    if (::geteuid() != 0 || !test::as_ordinary_user(test::meridianctl) ||
        ::getgrnam(operators) == nullptr || ::getgrnam(readers) == nullptr) {
      GTEST_SKIP() << "needs root, other groups, and a second user who can run meridianctl";
    }
    std::filesystem::permissions(directory().path(), std::filesystem::perms(0755));
  }

  static Json with_groups() {
    return {{"control", {{"group", operators}, {"read_only_group", readers}}}};
  }

  /// Connects as an ordinary user who is in a group besides its own, or in none.
  ControlClient connect_as(const char* group) {
    const MemberOf member(group == nullptr ? std::vector<gid_t>{}
                                           : std::vector<gid_t>{::getgrnam(group)->gr_gid});
    return daemon().connect();
  }

  /// Asks as an ordinary user who is in a group besides its own, or in none.
  Finished ask_as(const char* group, std::vector<std::string> command) {
    const std::string nobody = std::to_string(test::nobody);
    ChildProcess::Arguments all = {"setpriv", "--reuid", nobody, "--regid", nobody};
    if (group == nullptr) {
      all.emplace_back("--clear-groups");
    } else {
      all.insert(all.end(), {"--groups", std::to_string(::getgrnam(group)->gr_gid)});
    }
    all.insert(all.end(), {test::meridianctl, "--socket", daemon().socket()});
    all.insert(all.end(), command.begin(), command.end());
    return test::run(all);
  }
};

TEST_F(ControlRoles, ReadersReadAndChangeNothing) {
  start(with_groups());
  send_whole(daemon().port(), frames_of(1, 0, 10));
  for (const char* reading :
       {"depth", "stats", "uplinks", "satellites", "sinks", "version", "health"}) {
    const Finished asked = ask_as(readers, {reading});
    EXPECT_EQ(asked.status, 0) << reading << ": " << asked.err;
  }
  for (const std::vector<std::string>& changing : {std::vector<std::string>{"flush"},
                                                   {"drain"},
                                                   {"drain", "--lease"},
                                                   {"reload"},
                                                   {"log-level", "debug"}}) {
    const Finished asked = ask_as(readers, changing);
    EXPECT_EQ(asked.status, 1) << changing.front();
    EXPECT_THAT(asked.err, HasSubstr("control.group")) << changing.front();
  }
  EXPECT_EQ(daemon().call("depth").at("frames"), 10) << "nothing has changed";
  EXPECT_FALSE(daemon().logged("log level debug"));
}

TEST_F(ControlRoles, MembersOfTheSocketsGroupDoEverything) {
  start(with_groups());
  send_whole(daemon().port(), frames_of(1, 0, 10));
  EXPECT_EQ(ask_as(operators, {"depth"}).status, 0);
  EXPECT_EQ(ask_as(operators, {"flush"}).status, 0);
  EXPECT_EQ(daemon().call("depth").at("frames"), 0);
}

TEST_F(ControlRoles, OthersAreTurnedAwayWhateverTheModeSays) {
  start(with_groups());
  EXPECT_THAT(ask_as(nullptr, {"depth"}).err, HasSubstr("Permission denied"))
      << "the file does not let them in";
  Json open = with_groups();
  open["control"]["mode"] = "0666";
  reload(open);
  const Finished asked = ask_as(nullptr, {"depth"});
  EXPECT_EQ(asked.status, 1);
  EXPECT_THAT(asked.err, HasSubstr("control.read_only_group"));
  EXPECT_EQ(daemon().stat("/control/cut_off/not_allowed"), 1U);
  EXPECT_TRUE(daemon().logged(fmt::format("uid {} is in neither", test::nobody)));
}

TEST_F(ControlRoles, ReadersGiveWayToOperatorsButNotStrangers) {
  Json config = with_groups();
  config["control"]["mode"] = "0666";
  config["control"]["max_clients"] = 3;
  start(config);
  ControlClient keeper = daemon().connect();
  ASSERT_TRUE(eventually([&] { return keeper.call("stats").at("control").at("clients") == 1; }))
      << "the client that asked at the start is gone";
  ControlClient watcher = connect_as(readers);
  watcher.send_line(rpc("tail"));
  std::ignore = watcher.read_json();
  ControlClient younger = connect_as(readers);
  ASSERT_TRUE(younger.ask("depth").contains("frames"));

  ControlClient stranger = connect_as(nullptr);
  EXPECT_THAT(stranger.socket().wait_closed(), HasSubstr("control.read_only_group"));
  ControlClient third = connect_as(readers);
  EXPECT_EQ(error_code_of(Json::parse(third.socket().wait_closed())), -32001);
  ASSERT_EQ(keeper.call("stats").at("control").at("clients"), 3) << "nobody has made room";

  ControlClient next = daemon().connect();
  EXPECT_TRUE(next.ask("depth").contains("frames"));
  EXPECT_THAT(watcher.socket().wait_closed(), HasSubstr("control.max_clients"));
  EXPECT_TRUE(younger.ask("depth").contains("frames")) << "the one that came first has gone";
  EXPECT_TRUE(keeper.ask("depth").contains("frames"));
  EXPECT_EQ(keeper.call("stats").at("control").at("cut_off").at("client_limit"), 2);

  ControlClient fourth = connect_as(readers);
  EXPECT_EQ(error_code_of(Json::parse(fourth.socket().wait_closed())), -32001);
}

TEST_F(ControlRoles, OfAnInheritedSocketComeWithAReload) {
  if (!status::with_systemd) {
    GTEST_SKIP() << "this build inherits no sockets";
  }
  const BoundSocket control = BoundSocket::listening_file(directory().file("control.sock"));
  ASSERT_EQ(::chmod(directory().file("control.sock").c_str(), 0666), 0);
  start({{"control", {{"group", operators}}}}, {.sockets = {{"control", control.descriptor()}}});
  EXPECT_EQ(ask_as(nullptr, {"depth"}).status, 0);
  EXPECT_EQ(reload(with_groups()).at("changed"), Json{"control.read_only_group"});
  EXPECT_EQ(ask_as(nullptr, {"depth"}).status, 1);
  EXPECT_EQ(ask_as(readers, {"depth"}).status, 0);
  EXPECT_EQ(ask_as(readers, {"flush"}).status, 1);
  EXPECT_EQ(ask_as(operators, {"flush"}).status, 0);
}

TEST_F(ControlRoles, ComeAndGoWithAReload) {
  start({{"control", {{"group", operators}}}});
  EXPECT_THAT(ask_as(readers, {"depth"}).err, HasSubstr("Permission denied"));
  reload(with_groups());
  EXPECT_EQ(ask_as(readers, {"depth"}).status, 0);
  EXPECT_EQ(ask_as(readers, {"flush"}).status, 1);
  reload({{"control", {{"group", operators}, {"read_only_group", nullptr}}}});
  EXPECT_THAT(ask_as(readers, {"depth"}).err, HasSubstr("Permission denied"));
  EXPECT_EQ(ask_as(operators, {"flush"}).status, 0);
}

class OpenControlSocket : public test::DaemonTest {};

TEST_F(OpenControlSocket, IsWarnedOf) {
  start({{"control", {{"mode", "0666"}}}});
  EXPECT_TRUE(daemon().logged("warning control.mode 0666 lets every user of this machine drain"));
  reload({{"control", {{"mode", "0660"}}}});
  reload({{"control", {{"mode", "0662"}}}});
  EXPECT_TRUE(daemon().logged("warning control.mode 0662 lets every user"));
}

}  // namespace
}  // namespace meridian::test
