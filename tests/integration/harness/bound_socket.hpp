/// Sockets with addresses that a test holds itself.
#pragma once

#include "integration/harness/descriptor.hpp"

#include <cstdint>
#include <string>

namespace meridian::test {

/// A stream socket with an address. Closed in the destructor; the file of a Unix socket stays.
class BoundSocket {
 public:
  /// A port of 127.0.0.1 on which nothing listens. The system gives it to no other program, but a
  /// daemon that is told its number can listen there.
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
  /// "127.0.0.1:43210", as it is written in a configuration.
  [[nodiscard]] std::string address() const;

 private:
  explicit BoundSocket(int family);
  void listen() const;

  Descriptor descriptor_;
};

}  // namespace meridian::test
