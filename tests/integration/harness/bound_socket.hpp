/// Sockets with addresses, which the test itself holds open.
#pragma once

#include "integration/harness/descriptor.hpp"

#include <cstdint>
#include <string>

namespace meridian::test {

/// A stream socket with an address. The destructor closes it, and leaves the file of a Unix socket.
class BoundSocket {
 public:
  /// A port of 127.0.0.1 on which nothing listens. The system gives the port to no other program,
  /// but a daemon whose configuration names the port can listen there.
  [[nodiscard]] static BoundSocket reserved_port();

  /// A listening port of 127.0.0.1. Nothing accepts connections there until a program has inherited
  /// the socket.
  [[nodiscard]] static BoundSocket listening_port();

  /// The same for a port of all addresses, of IPv6 and IPv4. Throws std::system_error if there is
  /// no IPv6.
  [[nodiscard]] static BoundSocket listening_port_of_all();

  /// The same for a Unix socket.
  [[nodiscard]] static BoundSocket listening_file(const std::string& path);

  [[nodiscard]] int descriptor() const noexcept { return descriptor_.number(); }
  /// Not for Unix sockets.
  [[nodiscard]] std::uint16_t port() const;
  /// "127.0.0.1:43210", as in a configuration.
  [[nodiscard]] std::string address() const;

 private:
  explicit BoundSocket(int family);
  void listen() const;

  Descriptor descriptor_;
};

}  // namespace meridian::test
