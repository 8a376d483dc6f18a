#include "integration/harness/bound_socket.hpp"

#include "integration/harness/require.hpp"

#include <fmt/format.h>

#include <cstring>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace meridian::test {

namespace {

template <typename Address>
void bind(int socket, const Address& address) {
  require_call(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0,
               "bind");
}

}  // namespace

BoundSocket::BoundSocket(int family)
    : descriptor_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  require_call(descriptor() >= 0, "socket");
}

void BoundSocket::listen() const {
  require_call(::listen(descriptor(), SOMAXCONN) == 0, "listen");
}

BoundSocket BoundSocket::reserved_port() {
  BoundSocket socket(AF_INET);
  // If both sockets set this, they may share a port as long as at most one listens.
  const int on = 1;
  require_call(::setsockopt(socket.descriptor(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0,
               "setsockopt");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bind(socket.descriptor(), address);
  return socket;
}

BoundSocket BoundSocket::listening_port() {
  BoundSocket socket = reserved_port();
  socket.listen();
  return socket;
}

BoundSocket BoundSocket::listening_port_of_all() {
  BoundSocket socket(AF_INET6);
  const int off = 0;
  require_call(::setsockopt(socket.descriptor(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0,
               "setsockopt");
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_any;
  bind(socket.descriptor(), address);
  socket.listen();
  return socket;
}

BoundSocket BoundSocket::listening_file(const std::string& path) {
  BoundSocket socket(AF_UNIX);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    throw std::runtime_error("too long for a Unix socket: " + path);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  bind(socket.descriptor(), address);
  socket.listen();
  return socket;
}

std::uint16_t BoundSocket::port() const {
  sockaddr_in address{};  // an IPv6 address has its port in the same place
  socklen_t size = sizeof(address);
  require_call(::getsockname(descriptor(), reinterpret_cast<sockaddr*>(&address), &size) == 0,
               "getsockname");
  return ntohs(address.sin_port);
}

std::string BoundSocket::address() const {
  return fmt::format("127.0.0.1:{}", port());
}

}  // namespace meridian::test
