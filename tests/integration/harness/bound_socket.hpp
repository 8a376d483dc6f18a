/// Addresses that a test has itself.
#pragma once

#include "integration/harness/descriptor.hpp"

#include <cstdint>
#include <string>

namespace meridian::testing {

/// A stream socket with an address. Closed in the destructor; the file of a Unix socket stays.
class BoundSocket {
 public:
  /// A port of 127.0.0.1 on which nobody listens. No other program is given it, but a daemon that
  /// is told its number can listen there.
  [[nodiscard]] static BoundSocket reserved_port();

  /// A port of 127.0.0.1 with whoever accepts from this socket: nobody, as long as no program has
  /// inherited it.
  [[nodiscard]] static BoundSocket listening_port();

  /// The same for a port of all addresses, of IPv6 and IPv4. Throws std::system_error where there
  /// is no IPv6.
  [[nodiscard]] static BoundSocket listening_port_of_all();

  /// The same for a Unix socket.
  [[nodiscard]] static BoundSocket listening_file(const std::string& path);

  [[nodiscard]] int descriptor() const noexcept { return descriptor_.number(); }
  /// Not for Unix sockets.
  [[nodiscard]] std::uint16_t port() const;
  /// "127.0.0.1:43210", as a configuration has it.
  [[nodiscard]] std::string address() const;

 private:
  explicit BoundSocket(int family);
  void listen() const;

  Descriptor descriptor_;
};

}  // namespace meridian::testing
