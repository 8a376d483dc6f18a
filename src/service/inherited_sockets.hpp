/// Listening sockets that the service manager opened (socket activation).
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::service {

/// Inherited sockets, by address and by name (FileDescriptorName=; without one, systemd takes the
/// unit's name). They stay open as long as this lives, as they do in the service manager: a
/// listener that a reload removed can get its own back. Not thread-safe.
class InheritedSockets {
 public:
  /// The sockets of sd_listen_fds(3), which a process can take only once.
  [[nodiscard]] static InheritedSockets of_process();

  InheritedSockets() = default;
  InheritedSockets(InheritedSockets&& other) noexcept;
  InheritedSockets& operator=(InheritedSockets&&) = delete;
  ~InheritedSockets();

  /// The descriptor of the listening Unix socket that is named "control", or else has that path,
  /// whatever links lead to its directory. The caller must close it.
  [[nodiscard]] std::optional<int> take_control(std::string_view path);

  /// The descriptor of the socket that has that name, or else listens on that address, or else on
  /// that port of all addresses. The caller must copy it, not close it.
  [[nodiscard]] std::optional<int> find(std::string_view name,
                                        const boost::asio::ip::tcp::endpoint& address) const;

  struct Unused {
    std::string name;
    std::string address;  ///< or path, as users write it
  };
  /// The sockets that have not been asked for.
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
