#include "service/inherited_sockets.hpp"

#include "runtime/host_port.hpp"
#include "runtime/printable.hpp"

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

namespace meridian::service {

namespace {

using boost::asio::ip::tcp;
using Local = boost::asio::local::stream_protocol;

/// Takes a name out of the list. Each name, and the list itself, must be released with free().
std::string take_name(char** names, int index) {
  const std::unique_ptr<char, decltype(&std::free)> name(names[index], &std::free);
  return name.get();
}

/// Whether a socket for all IPv6 addresses accepts IPv4 too.
bool takes_both(int descriptor) {
  int v6_only = 1;
  socklen_t size = sizeof v6_only;
  return ::getsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, &size) == 0 && v6_only == 0;
}

/// The address of a listening stream socket over IP; no value for any other socket.
std::optional<tcp::endpoint> listening_address(int descriptor) {
  tcp::endpoint local;
  auto size = static_cast<socklen_t>(local.capacity());
  if (::sd_is_socket_inet(descriptor, AF_UNSPEC, SOCK_STREAM, /*listening=*/1, 0) <= 0 ||
      ::getsockname(descriptor, local.data(), &size) != 0) {
    return std::nullopt;
  }
  local.resize(size);
  return local;
}

bool listens_on(int descriptor, const tcp::endpoint& address) {
  return listening_address(descriptor) == address;
}

/// Whether a socket listens on the port of `address` at all addresses, as with ListenStream=PORT.
/// Then no other socket can listen on this port of a single address.
bool listens_on_all_with(int descriptor, const tcp::endpoint& address) {
  const std::optional<tcp::endpoint> local = listening_address(descriptor);
  if (!local || !local->address().is_unspecified() || local->port() != address.port()) {
    return false;
  }
  return local->protocol() == address.protocol() ||
         (local->address().is_v6() && takes_both(descriptor));
}

/// The path of a Unix socket. Empty for a Unix socket without a path, and for any other socket.
std::string path_of(int descriptor) {
  Local::endpoint local;
  auto size = static_cast<socklen_t>(local.capacity());
  if (::sd_is_socket(descriptor, AF_UNIX, 0, /*listening=*/-1) <= 0 ||
      ::getsockname(descriptor, local.data(), &size) != 0) {
    return {};
  }
  local.resize(std::min<std::size_t>(size, local.capacity()));
  return local.path();
}

/// The path with the symbolic links of its directory resolved: /var/run is /run.
std::filesystem::path resolved(const std::filesystem::path& path) {
  std::error_code failed;
  const auto directory = std::filesystem::weakly_canonical(path.parent_path(), failed);
  return failed ? path : directory / path.filename();
}

/// The address or path, as users write it.
std::string address_of(int descriptor) {
  if (const std::optional<tcp::endpoint> local = listening_address(descriptor)) {
    return runtime::to_text(*local);
  }
  const std::string path = path_of(descriptor);
  return path.empty() ? "not a listening TCP socket" : runtime::printable(path);
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
  const auto listens = [](const Inherited& socket) {
    return ::sd_is_socket_unix(socket.descriptor, SOCK_STREAM, /*listening=*/1, nullptr, 0) > 0;
  };
  auto control = std::ranges::find_if(sockets_, [&](const Inherited& socket) {
    return socket.name == "control" && listens(socket);
  });
  if (control == sockets_.end()) {
    const std::filesystem::path wanted = resolved(path);
    control = std::ranges::find_if(sockets_, [&](const Inherited& socket) {
      return listens(socket) && resolved(path_of(socket.descriptor)) == wanted;
    });
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
    found = std::ranges::find_if(sockets_, [&](const Inherited& socket) {
      return listens_on_all_with(socket.descriptor, address);
    });
  }
  if (found == sockets_.end()) {
    return std::nullopt;
  }
  found->used = true;
  return found->descriptor;
}

std::vector<InheritedSockets::Unused> InheritedSockets::unused() const {
  std::vector<Unused> left_over;
  left_over.reserve(sockets_.size());
  for (const Inherited& socket : sockets_) {
    if (!socket.used) {
      left_over.push_back({.name = socket.name, .address = address_of(socket.descriptor)});
    }
  }
  return left_over;
}

}  // namespace meridian::service
