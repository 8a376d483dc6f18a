#include "service/inherited_sockets.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

namespace meridian::service {

namespace {

using boost::asio::ip::tcp;

/// The names are a list that the C library's free() ends, each name and the list itself.
std::string take_name(char** names, int index) {
  const std::unique_ptr<char, decltype(&std::free)> name(names[index], &std::free);
  return name.get();
}

bool listens_on(int descriptor, const tcp::endpoint& address) {
  tcp::endpoint local;
  auto size = static_cast<socklen_t>(local.capacity());
  if (::sd_is_socket(descriptor, AF_UNSPEC, SOCK_STREAM, /*listening=*/1) <= 0 ||
      ::getsockname(descriptor, local.data(), &size) != 0) {
    return false;
  }
  local.resize(size);
  return local == address;
}

}  // namespace

InheritedSockets InheritedSockets::of_process() {
  InheritedSockets inherited;
  char** names = nullptr;
  const int count = ::sd_listen_fds_with_names(/*unset_environment=*/1, &names);
  const std::unique_ptr<char*, decltype(&std::free)> list(names, &std::free);
  for (int i = 0; i < count; ++i) {
    inherited.sockets_.push_back(
        {.name = take_name(names, i), .descriptor = SD_LISTEN_FDS_START + i});
  }
  return inherited;
}

InheritedSockets::InheritedSockets(InheritedSockets&& other) noexcept
    : sockets_(std::exchange(other.sockets_, {})) {}

InheritedSockets::~InheritedSockets() {
  for (const Inherited& socket : sockets_) {
    ::close(socket.descriptor);
  }
}

std::optional<int> InheritedSockets::take_control() {
  const auto control = std::ranges::find_if(sockets_, [](const Inherited& socket) {
    return socket.name == "control" &&
           ::sd_is_socket_unix(socket.descriptor, SOCK_STREAM, /*listening=*/1, nullptr, 0) > 0;
  });
  if (control == sockets_.end()) {
    return std::nullopt;
  }
  const int descriptor = control->descriptor;
  sockets_.erase(control);
  return descriptor;
}

std::optional<int> InheritedSockets::uplink(std::string_view listener,
                                            const tcp::endpoint& address) const {
  auto found = std::ranges::find_if(sockets_, [&](const Inherited& socket) {
    return socket.name == listener &&
           ::sd_is_socket_inet(socket.descriptor, AF_UNSPEC, SOCK_STREAM, /*listening=*/1, 0) > 0;
  });
  if (found == sockets_.end()) {
    found = std::ranges::find_if(sockets_, [&](const Inherited& socket) {
      return socket.name == "uplink" && listens_on(socket.descriptor, address);
    });
  }
  if (found == sockets_.end()) {
    return std::nullopt;
  }
  found->used = true;
  return found->descriptor;
}

std::vector<std::string> InheritedSockets::unused() const {
  std::vector<std::string> names;
  names.reserve(sockets_.size());
  for (const Inherited& socket : sockets_) {
    if (!socket.used) {
      names.push_back(socket.name);
    }
  }
  return names;
}

}  // namespace meridian::service
