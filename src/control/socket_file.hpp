/// The Unix socket on which the daemon takes requests.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <atomic>
#include <cstddef>
#include <optional>
#include <string>

#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>

namespace meridian::control {

namespace asio = boost::asio;

/// Who may connect.
struct Access {
  mode_t mode = 0660;
  std::optional<gid_t> group{};  ///< nothing: that of the process
  /// The group that may connect but only read. Nothing: every client that may connect has full
  /// access.
  std::optional<gid_t> read_only_group{};

  friend bool operator==(const Access&, const Access&) = default;
};

/// Owns a Unix socket's path: one daemon at a time, and never a path that another program uses.
///
/// A lock file beside the socket ("PATH.lock") decides between daemons, so that a stale socket file
/// can be replaced without a race. The lock file stays behind, empty: if it were removed, two
/// daemons could each hold a lock of that name.
class SocketFile {
 public:
  /// Octets of the longest path that a Unix socket can have.
  static constexpr std::size_t longest_path = sizeof(sockaddr_un::sun_path) - 1;

  /// Takes the path, creating its directory if necessary. Throws std::runtime_error, with what to
  /// do, if it is too long, not writable, held by a live daemon, or not a socket.
  SocketFile(std::string path, const Access& access);
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;
  ~SocketFile();

  /// Listens on the path. Creates the file closed to other users, and then lets in those that
  /// `access` names.
  [[nodiscard]] asio::local::stream_protocol::acceptor listen(
      const asio::any_io_executor& executor);

  /// Whether the file made here is still at the path. May be called from any thread.
  [[nodiscard]] bool is_there() const noexcept;

  /// Listens again after the file was removed, perhaps with the lock file or the directory. Throws
  /// std::runtime_error if another program has taken the path.
  [[nodiscard]] asio::local::stream_protocol::acceptor listen_again(
      const asio::any_io_executor& executor);

  /// Changes who may connect from now on. Throws std::runtime_error if the system refuses, or if
  /// the file is no longer the one made here; access is unchanged then.
  void set_access(const Access& access);

  /// Removes the socket file if it is still the one made here. Must be called before the acceptor
  /// is closed: after that, another file may get the same inode number.
  void remove() noexcept;

 private:
  void apply(const Access& access) const;
  /// Group, mode and access list as they were found.
  struct Found {
    gid_t group;
    mode_t mode;
    std::optional<std::string> access_list;
  };
  void restore(const Found& before) const noexcept;
  [[nodiscard]] int take_lock() const;
  [[nodiscard]] bool lock_is_there() const noexcept;
  void remove_stale() const;

  std::string path_;
  Access access_;
  int lock_ = -1;
  std::atomic<ino_t> inode_ = 0;
};

}  // namespace meridian::control
