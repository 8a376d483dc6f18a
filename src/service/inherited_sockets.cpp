#include "service/inherited_sockets.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

#include <netinet/in.h>
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

/// Whether a socket for all IPv6 addresses takes IPv4 too.
bool takes_both(int descriptor) {
  int v6_only = 1;
  socklen_t size = sizeof v6_only;
  return ::getsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, &size) == 0 && v6_only == 0;
}

bool listens_on(int descriptor, const tcp::endpoint& address) {
  tcp::endpoint local;
  auto size = static_cast<socklen_t>(local.capacity());
  if (::sd_is_socket(descriptor, AF_UNSPEC, SOCK_STREAM, /*listening=*/1) <= 0 ||
      ::getsockname(descriptor, local.data(), &size) != 0) {
    return false;
  }
  local.resize(size);
  if (local.address() == boost::asio::ip::address_v6::any() && takes_both(descriptor) &&
      address.address() == boost::asio::ip::address_v4::any()) {
    return local.port() == address.port();  // ListenStream=PORT
  }
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

std::optional<int> InheritedSockets::take_control(std::string_view path) {
  const std::string wanted(path);
  const auto is_unix = [](const Inherited& socket, const char* at) {
    return ::sd_is_socket_unix(socket.descriptor, SOCK_STREAM, /*listening=*/1, at, 0) > 0;
  };
  auto control = std::ranges::find_if(sockets_, [&](const Inherited& socket) {
    return socket.name == "control" && is_unix(socket, nullptr);
  });
  if (control == sockets_.end()) {
    control = std::ranges::find_if(
        sockets_, [&](const Inherited& socket) { return is_unix(socket, wanted.c_str()); });
  }
  if (control == sockets_.end()) {
    return std::nullopt;
  }
  const int descriptor = control->descriptor;
  sockets_.erase(control);
  return descriptor;
}

std::optional<int> InheritedSockets::find(std::string_view name,
                                          const tcp::endpoint& address) const {
  auto found = std::ranges::find_if(sockets_, [&](const Inherited& socket) {
    return socket.name == name &&
           ::sd_is_socket_inet(socket.descriptor, AF_UNSPEC, SOCK_STREAM, /*listening=*/1, 0) > 0;
  });
  if (found == sockets_.end()) {
    found = std::ranges::find_if(
        sockets_, [&](const Inherited& socket) { return listens_on(socket.descriptor, address); });
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
