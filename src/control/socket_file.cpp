#include "control/socket_file.hpp"

#include "control/access_list.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <tuple>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace meridian::control {

namespace {

using asio::local::stream_protocol;

std::runtime_error failure(const std::string& path, const std::string& why) {
  return std::runtime_error(fmt::format("control.socket \"{}\": {}", path, why));
}

std::string reason(int error) {
  return std::generic_category().message(error);
}

void create_directory_of(const std::string& path) {
  const std::filesystem::path directory = std::filesystem::path(path).parent_path();
  std::error_code ec;
  if (!directory.empty() && !std::filesystem::exists(directory, ec)) {
    std::filesystem::create_directories(directory, ec);
  }
  if (ec) {
    throw failure(path, fmt::format("cannot create the directory {}: {}; create it, or set "
                                    "control.socket to a path that can be written",
                                    directory.string(), ec.message()));
  }
}

/// Whether a socket file is left over from a program that has ended. Does not block: a listener
/// with a full backlog is alive.
bool is_stale(const std::string& path) {
  asio::io_context context;
  stream_protocol::socket socket(context);
  boost::system::error_code ec;
  socket.open(stream_protocol(), ec);
  socket.native_non_blocking(true, ec);
  const stream_protocol::endpoint endpoint(path);
  return ::connect(socket.native_handle(), endpoint.data(),
                   static_cast<socklen_t>(endpoint.size())) != 0 &&
         errno == ECONNREFUSED;
}

}  // namespace

SocketFile::SocketFile(std::string path, const Access& access)
    : path_(std::move(path)), access_(access) {
  if (path_.size() > longest_path) {
    throw failure(path_, fmt::format("the path has {} bytes, but a Unix socket allows {} at most",
                                     path_.size(), longest_path));
  }
  create_directory_of(path_);
  lock_ = take_lock();
  try {
    remove_stale();
  } catch (...) {
    ::close(lock_);
    throw;
  }
}

SocketFile::~SocketFile() {
  remove();
  ::close(lock_);
}

void SocketFile::remove() noexcept {
  if (is_there()) {
    ::unlink(path_.c_str());
  }
  inode_ = 0;
}

int SocketFile::take_lock() const {
  const std::string lock_path = path_ + ".lock";
  const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock < 0) {
    throw failure(path_, fmt::format("cannot open {}: {}; set control.socket to a path that can "
                                     "be written",
                                     lock_path, reason(errno)));
  }
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    ::close(lock);
    throw failure(path_, error == EWOULDBLOCK
                             ? "a running daemon holds it; stop that one, or set another path"
                             : "cannot lock it: " + reason(error));
  }
  return lock;
}

bool SocketFile::lock_is_there() const noexcept {
  struct stat named{};
  struct stat held{};
  return ::lstat((path_ + ".lock").c_str(), &named) == 0 && ::fstat(lock_, &held) == 0 &&
         named.st_ino == held.st_ino && named.st_dev == held.st_dev;
}

void SocketFile::remove_stale() const {
  struct stat status{};
  if (::lstat(path_.c_str(), &status) != 0) {
    return;
  }
  if (!S_ISSOCK(status.st_mode)) {
    throw failure(path_, "there is a file that is not a socket; remove it, or set another path");
  }
  if (!is_stale(path_)) {
    throw failure(path_, "another program listens there; stop it, or set another path");
  }
  if (::unlink(path_.c_str()) != 0) {
    throw failure(path_, "cannot replace the stale socket file: " + reason(errno));
  }
}

bool SocketFile::is_there() const noexcept {
  struct stat status{};
  return inode_ != 0 && ::lstat(path_.c_str(), &status) == 0 && S_ISSOCK(status.st_mode) &&
         status.st_ino == inode_;
}

void SocketFile::set_access(const Access& access) {
  if (access == access_) {
    return;
  }
  struct stat status{};
  if (!is_there() || ::lstat(path_.c_str(), &status) != 0) {
    throw failure(path_, "the file is no longer the socket of this daemon; restart the daemon");
  }
  const Found before{
      .group = status.st_gid, .mode = status.st_mode & 07777, .access_list = access_list_of(path_)};
  try {
    apply(access);
    access_ = access;
  } catch (...) {
    restore(before);
    throw;
  }
}

void SocketFile::restore(const Found& before) const noexcept {
  // Restores what was found, which may differ from what was set before. With an access list, the
  // group bits of the mode are the list's mask: restoring the mode alone would give the group more
  // rights.
  struct stat now{};
  const bool same_group = ::lstat(path_.c_str(), &now) == 0 && now.st_gid == before.group;
  if (same_group || ::lchown(path_.c_str(), static_cast<uid_t>(-1), before.group) == 0) {
    std::ignore = before.access_list ? set_access_list(path_, *before.access_list)
                                     : set_second_group(path_, before.mode, std::nullopt);
  }
}

void SocketFile::apply(const Access& access) const {
  struct stat now{};
  const gid_t group = access.group.value_or(::getegid());
  const bool same_group = ::lstat(path_.c_str(), &now) == 0 && now.st_gid == group;
  // Closed to both groups in between, so that no group ever has the mode of the other.
  if (!same_group && !set_second_group(path_, 0600, std::nullopt)) {
    throw failure(path_, "cannot set its mode: " + reason(errno));
  }
  if (!same_group && ::lchown(path_.c_str(), static_cast<uid_t>(-1), group) != 0) {
    throw failure(path_,
                  fmt::format("cannot give it to group {}: {}; the daemon must be in that group",
                              group, reason(errno)));
  }
  if (!set_second_group(path_, access.mode, access.read_only_group)) {
    throw failure(path_,
                  access.read_only_group
                      ? fmt::format("cannot let the group {} in: {}; control.read_only_group "
                                    "needs a file system with access lists (acl)",
                                    *access.read_only_group, reason(errno))
                      : "cannot set its mode: " + reason(errno));
  }
}

stream_protocol::acceptor SocketFile::listen(const asio::any_io_executor& executor) {
  inode_ = 0;
  try {
    stream_protocol::acceptor acceptor(executor);
    acceptor.open();
    // `bind` creates the file with the mode of the open socket.
    ::fchmod(acceptor.native_handle(), 0600);
    acceptor.bind(stream_protocol::endpoint(path_));
    struct stat status{};
    if (::lstat(path_.c_str(), &status) == 0) {
      inode_ = status.st_ino;
    }
    acceptor.listen();
    apply(access_);
    return acceptor;
  } catch (const boost::system::system_error& error) {
    remove();
    throw failure(path_, fmt::format("cannot listen: {}; set control.socket to a path that can be "
                                     "written",
                                     error.code().message()));
  } catch (...) {
    remove();  // nothing listens there
    throw;
  }
}

stream_protocol::acceptor SocketFile::listen_again(const asio::any_io_executor& executor) {
  create_directory_of(path_);
  if (!lock_is_there()) {
    const int lock = take_lock();
    ::close(std::exchange(lock_, lock));
  }
  remove_stale();
  return listen(executor);
}

}  // namespace meridian::control
