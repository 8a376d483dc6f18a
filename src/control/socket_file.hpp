/// The Unix socket that the daemon is asked through.
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
  /// Those who may connect and read. Nothing: whoever may connect may do everything.
  std::optional<gid_t> read_only_group{};

  friend bool operator==(const Access&, const Access&) = default;
};

/// Owns a Unix socket's path: one daemon at a time, and never the file of somebody else.
///
/// A lock file beside the socket ("PATH.lock") decides between daemons, so that a stale socket file
/// can be replaced without a race. It stays behind, empty: to remove it would let two daemons
/// hold a lock of that name.
class SocketFile {
 public:
  /// Octets of the longest path that a Unix socket can have.
  static constexpr std::size_t longest_path = sizeof(sockaddr_un::sun_path) - 1;

  /// Takes the path, creating its directory if need be. Throws std::runtime_error, with what to
  /// do, if it is too long, not writable, held by a live daemon, or not a socket.
  SocketFile(std::string path, const Access& access);
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;
  ~SocketFile();

  /// Listens on the path. The file is created closed to others, and opened to them then.
  [[nodiscard]] asio::local::stream_protocol::acceptor listen(
      const asio::any_io_executor& executor);

  /// Whether its file is still the one that was made here, or somebody has removed it. On any
  /// thread.
  [[nodiscard]] bool is_there() const noexcept;

  /// Listens anew where the file is gone, and with it the lock or the directory perhaps. Throws
  /// std::runtime_error where somebody else has taken the path.
  [[nodiscard]] asio::local::stream_protocol::acceptor listen_again(
      const asio::any_io_executor& executor);

  /// Lets others connect from now on. Throws std::runtime_error where the system refuses it, or the
  /// file is no longer the one that was made here; it is then as it was.
  void set_access(const Access& access);

  /// Removes the socket file, if it still is the one that was made here. To be called before the
  /// acceptor is closed: then the file's number may go to another one.
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
