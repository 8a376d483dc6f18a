/// Listening sockets that the service manager opened (socket activation).
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::service {

/// Finds inherited sockets by name and by address. The name is FileDescriptorName=; without one,
/// systemd takes the unit's name. The sockets stay open as long as this object lives, as they do in
/// the service manager. So a listener that one reload removes and another adds gets its socket
/// back. Not thread-safe.
class InheritedSockets {
 public:
  /// The sockets of sd_listen_fds(3), which a process can take only once.
  [[nodiscard]] static InheritedSockets of_process();

  InheritedSockets() = default;
  InheritedSockets(InheritedSockets&& other) noexcept;
  InheritedSockets& operator=(InheritedSockets&&) = delete;
  ~InheritedSockets();

  /// The descriptor of the listening Unix socket that is named "control", or else of the one at
  /// `path`. Symbolic links to its directory are followed. The caller must close the descriptor.
  [[nodiscard]] std::optional<int> take_control(std::string_view path);

  /// The descriptor of the listening socket with that name, or else on that address, or else on
  /// that port of all addresses. The caller must duplicate the descriptor, and not close it.
  [[nodiscard]] std::optional<int> find(std::string_view name,
                                        const boost::asio::ip::tcp::endpoint& address) const;

  struct Unused {
    std::string name;
    std::string address;  ///< or path, as users write it
  };
  /// The sockets that neither `take_control` nor `find` has returned.
  [[nodiscard]] std::vector<Unused> unused() const;

 private:
  struct Inherited {
    std::string name;
    int descriptor;
    mutable bool used = false;
  };

  std::vector<Inherited> sockets_;
};

}  // namespace meridian::service
