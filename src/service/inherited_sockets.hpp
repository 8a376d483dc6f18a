/// Listening sockets that the service manager opened (socket activation).
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::service {

/// Sockets by their addresses, and by names (FileDescriptorName=; without one systemd takes that of
/// the unit). They stay open as long as this lives, as they do with who opened them: a listener
/// that a reload removes can come back to its own. Not thread-safe.
class InheritedSockets {
 public:
  /// Those of sd_listen_fds(3), which are there once in the life of a process.
  [[nodiscard]] static InheritedSockets of_process();

  InheritedSockets() = default;
  InheritedSockets(InheritedSockets&& other) noexcept;
  InheritedSockets& operator=(InheritedSockets&&) = delete;
  ~InheritedSockets();

  /// The descriptor of the listening Unix socket that is named "control", or else has that path,
  /// whatever links lead to its directory. The caller must close it.
  [[nodiscard]] std::optional<int> take_control(std::string_view path);

  /// The one that has that name, or else listens on that address, or else on that port of all
  /// addresses. To be copied, not closed.
  [[nodiscard]] std::optional<int> find(std::string_view name,
                                        const boost::asio::ip::tcp::endpoint& address) const;

  struct Unused {
    std::string name;
    std::string address;  ///< or path, as people write it
  };
  /// Those that nobody has asked for.
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
