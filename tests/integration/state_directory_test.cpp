// What keeps a daemon from having its state directory.
#include "integration/harness/ordinary_user.hpp"
#include "integration/harness/saved_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include <sys/stat.h>

namespace meridian::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class StateDirectory : public StateTest {
 protected:
  /// Runs another daemon, that is not expected to come up, with this state directory.
  static Finished run_refused(const std::filesystem::path& state,
                              test::ChildProcess::Arguments before = {}) {
    const TempDir other;
    std::filesystem::permissions(other.path(), std::filesystem::perms(0777));
    const Json config = config_in(other, {{"state", {{"directory", state.string()}}}});
    before.insert(before.end(),
                  {test::meridiand, "--config", other.write("c.json", config.dump())});
    Finished finished = test::run(before);
    EXPECT_FALSE(std::filesystem::exists(other.file("control.sock"))) << "it cleans up";
    return finished;
  }
};

TEST_F(StateDirectory, IsCreatedForTheDaemonAlone) {
  for (const char* name : {"state", "with/parents", "with-a-slash/"}) {
    const std::string path = directory().file(name);
    DaemonTest::start({{"state", {{"directory", path}}}});
    stop();
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0700U) << name;
  }
}

TEST_F(StateDirectory, HasAStateForTheDaemonAlone) {
  start();
  struct stat status{};
  send_whole(daemon().port(), frames_of(1, 0, 1));
  stop();
  ASSERT_EQ(::stat(saved().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

TEST_F(StateDirectory, OfARunningDaemonIsRefused) {
  start();
  send_whole(daemon().port(), frames_of(1, 0, 10));
  const Finished refused = run_refused(state());
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("critical state.directory"), HasSubstr(state().string()),
                                 HasSubstr("held by a running daemon")));
  restart();
  EXPECT_EQ(daemon().connect().drain_all(), frames_of(1, 0, 10)) << "the first one's";
}

TEST_F(StateDirectory, ThatCannotBeMadeIsAnError) {
  const std::string path = directory().write("file", "no directory") + "/state";
  const Finished refused = run_refused(path);
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("state.directory"), HasSubstr(path), HasSubstr("Not a directory")));
}

TEST_F(StateDirectory, ThatIsAFileIsAnError) {
  const std::string path = directory().write("file", "precious");
  const Finished refused = run_refused(path);
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("state.directory"), HasSubstr(path), HasSubstr("Not a directory")));
  EXPECT_EQ(test::read_file(path), "precious");
}

TEST_F(StateDirectory, ThatIsNotWritableIsAStartError) {
  std::filesystem::permissions(directory().path(), std::filesystem::perms(0755));
  std::filesystem::create_directory(state());
  std::filesystem::permissions(state(), std::filesystem::perms(0555));
  const auto ordinary_user = test::as_ordinary_user(test::meridiand);
  if (!ordinary_user) {
    GTEST_SKIP() << "an ordinary user cannot run " << test::meridiand;
  }
  const Finished refused = run_refused(state(), *ordinary_user);
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("state.directory"), HasSubstr(state().string()),
                                 HasSubstr("Permission denied")));
}

TEST_F(StateDirectory, IsFreeOnceItsDaemonIsKilled) {
  start();
  daemon().process().signal(SIGKILL);
  EXPECT_EQ(daemon().process().wait(), 128 + SIGKILL);
  start();
  EXPECT_EQ(daemon().call("depth").at("frames"), 0);
}

}  // namespace
}  // namespace meridian::test
