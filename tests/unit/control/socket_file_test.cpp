#include "control/socket_file.hpp"

#include "control/access_list.hpp"
#include "integration/harness/ordinary_user.hpp"
#include "integration/harness/temp_dir.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/datagram_protocol.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/system/error_code.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <grp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace meridian::test {

using namespace control;

namespace {

namespace fs = std::filesystem;
using asio::local::stream_protocol;
using testing::HasSubstr;
using testing::ThrowsMessage;

class SocketFileTest : public testing::Test {
 protected:
  [[nodiscard]] stream_protocol::acceptor listen(SocketFile& file) {
    return file.listen(context_.get_executor());
  }
  /// What a program that knows nothing of SocketFile does.
  [[nodiscard]] stream_protocol::acceptor listen_as_somebody_else() {
    return {context_, stream_protocol::endpoint(path_)};
  }
  [[nodiscard]] bool somebody_answers() {
    stream_protocol::socket socket(context_);
    boost::system::error_code ec;
    socket.connect(stream_protocol::endpoint(path_), ec);
    return !ec;
  }
  void expect_refused(const std::string& why) { expect_refused(path_, why); }
  static void expect_refused(const std::string& path, const std::string& why) {
    EXPECT_THAT([&] { const SocketFile file(path, Access{0600}); },
                ThrowsMessage<std::runtime_error>(
                    testing::AllOf(HasSubstr("control.socket \"" + path + "\""), HasSubstr(why))));
  }

  asio::io_context context_;
  test::TempDir directory_;
  std::string path_ = directory_.file("control.sock");
};

TEST_F(SocketFileTest, LeavesForeignSocketsOfOtherKinds) {
  const asio::local::datagram_protocol::socket datagrams(context_, path_);
  expect_refused("another program listens there");
  EXPECT_TRUE(fs::exists(path_));
}

TEST_F(SocketFileTest, DoesNotWaitForAListenersFullBacklog) {
  stream_protocol::acceptor somebody(context_, stream_protocol());
  somebody.bind(stream_protocol::endpoint(path_));
  somebody.listen(0);
  stream_protocol::socket waits_to_be_accepted(context_);
  waits_to_be_accepted.connect(stream_protocol::endpoint(path_));
  expect_refused("another program listens there");
}

TEST_F(SocketFileTest, ChangesItsModeWhileItListens) {
  SocketFile file(path_, Access{0600});
  const stream_protocol::acceptor acceptor = listen(file);
  file.set_access(Access{0666});
  EXPECT_EQ(fs::status(path_).permissions(), fs::perms{0666});
}

/// For as long as it lives this process is an ordinary user, in one group besides its own.
class OrdinaryUser {
 public:
  explicit OrdinaryUser(gid_t group) {
    be_in(&group, 1);
    std::ignore = ::setegid(test::nobody);
    std::ignore = ::seteuid(test::nobody);
  }
  OrdinaryUser(const OrdinaryUser&) = delete;
  OrdinaryUser& operator=(const OrdinaryUser&) = delete;
  ~OrdinaryUser() {
    std::ignore = ::seteuid(0);
    std::ignore = ::setegid(0);
    std::ignore = ::setgroups(before_.size(), before_.data());
  }

  /// Is in no other group any more.
  static void leave_group() {
    std::ignore = ::seteuid(0);
    be_in(nullptr, 0);
    std::ignore = ::seteuid(test::nobody);
  }

 private:
  static void be_in(const gid_t* groups, std::size_t count) {
    std::ignore = ::setgroups(count, groups);
  }
  static std::vector<gid_t> groups() {
    std::vector<gid_t> all(static_cast<std::size_t>(::getgroups(0, nullptr)));
    std::ignore = ::getgroups(static_cast<int>(all.size()), all.data());
    return all;
  }

  std::vector<gid_t> before_ = groups();
};

TEST_F(SocketFileTest, LeavesModeAndGroupIfTheyCannotChange) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "root alone can be in other groups, and then not";
  }
  constexpr gid_t former = 1;
  constexpr gid_t next = 2;
  fs::permissions(directory_.path(), fs::perms{0777});
  const OrdinaryUser user(former);
  SocketFile file(path_, Access{.mode = 0660, .group = former});
  const stream_protocol::acceptor acceptor = listen(file);
  OrdinaryUser::leave_group();
  EXPECT_THAT([&] { file.set_access(Access{.mode = 0640, .group = next}); },
              ThrowsMessage<std::runtime_error>(HasSubstr("cannot give it to group 2")));
  struct stat status{};
  ASSERT_EQ(::lstat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_gid, former);
  EXPECT_EQ(status.st_mode & 07777U, 0660U) << "those in the group can still connect";
  EXPECT_NO_THROW(file.set_access(Access{.mode = 0600, .group = former})) << "which it has already";
}

TEST_F(SocketFileTest, LeavesAnAccessListThatItCannotChange) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "root alone can be in other groups, and then not";
  }
  constexpr gid_t former = 1;
  constexpr gid_t next = 2;
  constexpr gid_t readers = 3;
  fs::permissions(directory_.path(), fs::perms{0777});
  const OrdinaryUser user(former);
  // The group's entry is less than the list's mask, which is what the mode shows.
  SocketFile file(path_, Access{.mode = 0640, .group = former, .read_only_group = readers});
  std::optional<stream_protocol::acceptor> acceptor;
  try {
    acceptor.emplace(listen(file));
  } catch (const std::runtime_error& error) {
    GTEST_SKIP() << error.what();  // a file system without access lists
  }
  const auto before = access_list_of(path_);
  ASSERT_TRUE(before);
  OrdinaryUser::leave_group();
  EXPECT_THAT([&] { file.set_access(Access{.mode = 0600, .group = next}); },
              ThrowsMessage<std::runtime_error>(HasSubstr("cannot give it to group 2")));
  EXPECT_EQ(access_list_of(path_), before);
}

TEST_F(SocketFileTest, IsRemovedIfItsGroupCannotBeSet) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "root alone can be another user";
  }
  fs::permissions(directory_.path(), fs::perms{0777});
  const OrdinaryUser user(1);
  SocketFile file(path_, Access{.mode = 0660, .group = 2});
  EXPECT_THAT([&] { std::ignore = listen(file); },
              ThrowsMessage<std::runtime_error>(HasSubstr("cannot give it to group 2")));
  EXPECT_FALSE(file.is_there());
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(SocketFileTest, TouchesNoForeignFileInItsPlace) {
  SocketFile file(path_, Access{0600});
  const stream_protocol::acceptor acceptor = listen(file);
  const std::string other = directory_.write("other", "");
  fs::permissions(other, fs::perms{0600});
  fs::remove(path_);
  fs::create_symlink(other, path_);
  EXPECT_THAT([&] { file.set_access(Access{0666}); },
              ThrowsMessage<std::runtime_error>(HasSubstr("no longer the socket")));
  EXPECT_EQ(fs::status(other).permissions(), fs::perms{0600});
}

TEST_F(SocketFileTest, IsAnsweredFromOnceItListens) {
  SocketFile file(path_, Access{0600});

  EXPECT_FALSE(fs::exists(path_));
  const stream_protocol::acceptor acceptor = listen(file);
  EXPECT_TRUE(somebody_answers());
}

TEST_F(SocketFileTest, HasItsModeWhateverTheUmask) {
  for (const mode_t mode : {0600U, 0660U, 0666U, 0777U}) {
    SocketFile file(path_, Access{mode});
    const mode_t before = ::umask(0177);
    const stream_protocol::acceptor acceptor = listen(file);
    ::umask(before);
    struct stat status{};
    ASSERT_EQ(::lstat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, mode);
  }
}

TEST_F(SocketFileTest, MakesTheDirectoriesToIt) {
  path_ = directory_.file("a/b/control.sock");
  SocketFile file(path_, Access{0600});
  const stream_protocol::acceptor acceptor = listen(file);
  EXPECT_TRUE(somebody_answers());
}

TEST_F(SocketFileTest, ReplacesTheStaleFileOfADeadProgram) {
  listen_as_somebody_else().close();
  ASSERT_TRUE(fs::is_socket(path_));
  SocketFile file(path_, Access{0600});
  const stream_protocol::acceptor acceptor = listen(file);
  EXPECT_TRUE(somebody_answers());
}

TEST_F(SocketFileTest, RefusesTheSocketOfALiveProgram) {
  const stream_protocol::acceptor other = listen_as_somebody_else();
  expect_refused("another program listens there; stop it, or set another path");
  EXPECT_TRUE(somebody_answers());
}

TEST_F(SocketFileTest, RefusesALiveDaemonsPathBeforeItListens) {
  std::optional<SocketFile> first(std::in_place, path_, Access{0600});
  expect_refused("a running daemon holds it; stop that one, or set another path");
  {
    const stream_protocol::acceptor acceptor = listen(*first);
    expect_refused("a running daemon holds it; stop that one, or set another path");
    EXPECT_TRUE(somebody_answers());
  }
  first.reset();
  SocketFile second(path_, Access{0600});
  const stream_protocol::acceptor acceptor = listen(second);
  EXPECT_TRUE(somebody_answers());
}

struct PathTaken {
  const char* name;
  void (*make)(const fs::path&);
};
void PrintTo(const PathTaken& taken, std::ostream* out) {
  *out << taken.name;
}

class PathsTaken : public SocketFileTest, public testing::WithParamInterface<PathTaken> {};

TEST_P(PathsTaken, AreRefusedAndLeftAlone) {
  GetParam().make(path_);
  const fs::file_status before = fs::symlink_status(path_);
  expect_refused("there is a file that is not a socket; remove it, or set another path");
  EXPECT_EQ(fs::symlink_status(path_).type(), before.type());
}

TEST_P(PathsTaken, AreFreeOnceTheFileIsRemoved) {
  GetParam().make(path_);
  expect_refused("not a socket");
  fs::remove(path_);
  EXPECT_NO_THROW(SocketFile(path_, Access{0600})) << "the refused one kept its lock";
}

INSTANTIATE_TEST_SUITE_P(
    ByAnother, PathsTaken,
    testing::Values(
        PathTaken{"Directory", [](const fs::path& path) { fs::create_directory(path); }},
        PathTaken{"Link", [](const fs::path& path) { fs::create_symlink("elsewhere.sock", path); }},
        PathTaken{"Pipe",
                  [](const fs::path& path) { ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0); }}),
    [](const auto& each) { return std::string(each.param.name); });

TEST_F(SocketFileTest, KeepsAFileThatIsNotASocket) {
  std::ignore = directory_.write("control.sock", "notes");
  expect_refused("there is a file that is not a socket; remove it, or set another path");
  EXPECT_EQ(test::read_file(path_), "notes");
}

TEST_F(SocketFileTest, TakesPathsUpToTheLongest) {
  constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 1;
  path_.resize(longest, 'x');
  {
    SocketFile file(path_, Access{0600});
    const stream_protocol::acceptor acceptor = listen(file);
    EXPECT_TRUE(somebody_answers());
  }
  path_ += 'x';
  expect_refused("the path has 108 bytes, but a Unix socket allows 107 at most");
}

TEST_F(SocketFileTest, RefusesAPathThatCannotBeWritten) {
  std::ignore = directory_.write("file", "");
  expect_refused(directory_.file("file/control.sock"),
                 "set control.socket to a path that can be written");
  expect_refused(directory_.file("file/below/control.sock"),
                 "set control.socket to a path that can be written");
}

TEST_F(SocketFileTest, LeavesOnlyItsLockAtTheEnd) {
  {
    SocketFile file(path_, Access{0600});
    const stream_protocol::acceptor acceptor = listen(file);
    ASSERT_TRUE(fs::is_socket(path_));
  }
  EXPECT_FALSE(fs::exists(fs::symlink_status(path_)));
  EXPECT_EQ(test::read_file(path_ + ".lock"), "");
}

TEST_F(SocketFileTest, LeavesAloneWhatTookItsPlace) {
  std::optional<SocketFile> file(std::in_place, path_, Access{0600});
  // Open to the end: a file system may give the inode's number away once it is closed.
  const stream_protocol::acceptor acceptor = listen(*file);
  fs::remove(path_);
  const stream_protocol::acceptor other = listen_as_somebody_else();
  file.reset();
  EXPECT_TRUE(somebody_answers());
}

TEST_F(SocketFileTest, RemovesNothingWhereItNeverListened) {
  std::optional<SocketFile> file(std::in_place, path_, Access{0600});
  const stream_protocol::acceptor other = listen_as_somebody_else();
  file.reset();
  EXPECT_TRUE(somebody_answers());
}

TEST_F(SocketFileTest, ReportsAProgramThatListenedFirst) {
  SocketFile file(path_, Access{0600});
  {
    const stream_protocol::acceptor other = listen_as_somebody_else();
    EXPECT_THAT([&] { std::ignore = listen(file); },
                ThrowsMessage<std::runtime_error>(
                    HasSubstr("set control.socket to a path that can be written")));
    EXPECT_TRUE(somebody_answers());
  }
}

}  // namespace
}  // namespace meridian::test
