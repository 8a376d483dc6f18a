#include "integration/harness/stream_socket.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace meridian::test {

namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

int open_socket(int family) {
  const int socket = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) {
    fail("socket");
  }
  return socket;
}

bool would_block(int error) {
  return error == EAGAIN || error == EWOULDBLOCK;
}

}  // namespace

StreamSocket::StreamSocket(const std::string& path) : socket_(open_socket(AF_UNIX)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    close();
    throw std::runtime_error("too long for a Unix socket: " + path);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    const int error = errno;
    close();
    errno = error;
    fail("connect " + path);
  }
}

StreamSocket::StreamSocket(std::uint16_t port) : socket_(open_socket(AF_INET)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // A port that no other client has: `connect` by itself gives the same one to two clients of
  // different listeners, and the daemon's list of peers could not tell them apart.
  if (::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    const int error = errno;
    close();
    errno = error;
    fail("bind 127.0.0.1:0");
  }
  address.sin_port = htons(port);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    const int error = errno;
    close();
    errno = error;
    fail(fmt::format("connect 127.0.0.1:{}", port));
  }
}

StreamSocket::StreamSocket(StreamSocket&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)) {}

void StreamSocket::wait_for(short events, const char* what) const {
  pollfd polled{.fd = socket_, .events = events, .revents = 0};
  const int ready = ::poll(&polled, 1, static_cast<int>(patience.count()));
  if (ready < 0) {
    fail(what);
  }
  if (ready == 0) {
    throw std::runtime_error(fmt::format("{}: nothing for {} ms", what, patience.count()));
  }
}

void StreamSocket::send(std::string_view octets) {
  while (!octets.empty()) {
    wait_for(POLLOUT, "send");
    const ssize_t sent = ::send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      octets.remove_prefix(static_cast<std::size_t>(sent));
    } else if (!would_block(errno)) {
      fail("send");
    }
  }
}

std::size_t StreamSocket::send_until_blocked(std::string_view octets,
                                             std::chrono::milliseconds quiet) {
  std::size_t total = 0;
  pollfd polled{.fd = socket_, .events = POLLOUT, .revents = 0};
  while (!octets.empty() && ::poll(&polled, 1, static_cast<int>(quiet.count())) == 1) {
    const ssize_t sent = ::send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      octets.remove_prefix(static_cast<std::size_t>(sent));
      total += static_cast<std::size_t>(sent);
    } else if (!would_block(errno)) {
      fail("send");
    }
  }
  return total;
}

StreamSocket::Read StreamSocket::read_into(std::string& out) {
  wait_for(POLLIN, "read");
  constexpr std::size_t read_bytes = 256 * 1024;
  const std::size_t old_size = out.size();
  out.resize(old_size + read_bytes);
  const ssize_t bytes = ::recv(socket_, out.data() + old_size, read_bytes, 0);
  out.resize(old_size + static_cast<std::size_t>(std::max<ssize_t>(bytes, 0)));
  if (bytes < 0) {
    return Read::broken;
  }
  return bytes == 0 ? Read::end : Read::data;
}

std::string StreamSocket::read_some() {
  std::string octets;
  if (read_into(octets) == Read::broken) {
    fail("read");
  }
  return octets;
}

std::string StreamSocket::read_to_end() {
  std::string octets;
  for (Read last = Read::data; last != Read::end;) {
    last = read_into(octets);
    if (last == Read::broken) {
      fail("read");
    }
  }
  return octets;
}

std::string StreamSocket::wait_closed() {
  std::string octets;
  while (read_into(octets) == Read::data) {
  }
  return octets;
}

void StreamSocket::half_close() {
  ::shutdown(socket_, SHUT_WR);
}

void StreamSocket::reset() noexcept {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  close();
}

bool StreamSocket::vanish() noexcept {
  const int on = 1;
  if (::setsockopt(socket_, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) != 0) {
    return false;
  }
  close();
  return true;
}

void StreamSocket::close() noexcept {
  if (socket_ >= 0) {
    ::close(std::exchange(socket_, -1));
  }
}

std::string StreamSocket::local_address() const {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  if (::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    fail("getsockname");
  }
  return fmt::format("127.0.0.1:{}", ntohs(address.sin_port));
}

}  // namespace meridian::test
