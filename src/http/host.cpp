#include "http/host.hpp"

#include "runtime/host_port.hpp"

#include <boost/asio/ip/address_v6.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <system_error>

namespace meridian::http {

namespace {

namespace ip = boost::asio::ip;

/// The address as people write it: without a zone, and as IPv4 if it is IPv4-mapped.
ip::address plain(const ip::address& address) {
  if (!address.is_v6()) {
    return address;
  }
  ip::address_v6 v6 = address.to_v6();
  if (v6.is_v4_mapped()) {
    return ip::make_address_v4(ip::v4_mapped, v6);
  }
  v6.scope_id(0);
  return v6;
}

/// The part of `host` before the port; nothing if the port is not valid.
std::optional<std::string_view> without_port(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || host.ends_with(']')) {
    return host;
  }
  const std::string_view port = host.substr(colon + 1);
  std::uint16_t number = 0;
  const auto read = std::from_chars(port.data(), port.data() + port.size(), number);
  const bool is_port =
      port.empty() || (read.ec == std::errc{} && read.ptr == port.data() + port.size());
  return is_port ? std::optional(host.substr(0, colon)) : std::nullopt;
}

/// Removes the dot at the end of a fully qualified name, which is the root.
std::string_view without_root(std::string_view name) {
  if (name.ends_with('.')) {
    name.remove_suffix(1);
  }
  return name;
}

bool same_name(std::string_view one, std::string_view other) {
  const auto lower = [](unsigned char letter) { return std::tolower(letter); };
  return std::ranges::equal(without_root(one), without_root(other), {}, lower, lower);
}

}  // namespace

HostVerdict judge_host(std::string_view host, const ip::address& local,
                       std::span<const std::string> names) {
  const std::optional<std::string_view> found = without_port(host);
  if (!found || !runtime::is_host(*found)) {
    return HostVerdict::malformed;
  }
  const std::string_view name = *found;
  const auto address = runtime::host_address(name);
  if (address && (address->is_loopback() || plain(*address) == plain(local))) {
    return HostVerdict::ours;
  }
  // Compared as addresses, since an IPv6 address can be written in many ways.
  const auto is_it = [name, &address](std::string_view ours) {
    const auto our_address = runtime::host_address(ours);
    return address && our_address ? plain(*our_address) == plain(*address) : same_name(ours, name);
  };
  return is_it("localhost") || std::ranges::any_of(names, is_it) ? HostVerdict::ours
                                                                 : HostVerdict::other;
}

}  // namespace meridian::http
