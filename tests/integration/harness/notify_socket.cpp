#include "integration/harness/notify_socket.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace meridian::test {

NotifySocket::NotifySocket(const TempDir& directory)
    : path_(directory.file("notify.sock")),
      socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.data(), std::min(path_.size(), sizeof(address.sun_path) - 1));
  if (::bind(socket_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    throw std::system_error(errno, std::generic_category(), "bind " + path_);
  }
}

std::optional<NotifySocket::Message> NotifySocket::receive(
    std::chrono::milliseconds patience_for_it) const {
  pollfd polled{.fd = socket_.number(), .events = POLLIN, .revents = 0};
  if (::poll(&polled, 1, static_cast<int>(patience_for_it.count())) != 1) {
    return std::nullopt;
  }
  std::array<char, 4096> octets{};
  const ssize_t bytes = ::recv(socket_.number(), octets.data(), octets.size(), 0);
  if (bytes < 0) {
    throw std::system_error(errno, std::generic_category(), "recv");
  }
  std::istringstream lines(std::string(octets.data(), static_cast<std::size_t>(bytes)));
  Message message;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t end = line.find('=');
    message.emplace(line.substr(0, end), end == std::string::npos ? "" : line.substr(end + 1));
  }
  return message;
}

std::optional<NotifySocket::Message> NotifySocket::receive_with(const std::string& key) const {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < deadline) {
    std::optional<Message> message = receive();
    if (!message || message->contains(key)) {
      return message;
    }
  }
  return std::nullopt;
}

}  // namespace meridian::test
