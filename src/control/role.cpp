#include "control/role.hpp"

#include <unistd.h>

namespace meridian::control {

Role role_of(const Peer& peer, const Access& access) {
  if (!access.read_only_group) {
    return Role::full;
  }
  if (peer.uid == 0 || peer.uid == ::geteuid() || peer.is_in(access.group.value_or(::getegid()))) {
    return Role::full;
  }
  return peer.is_in(*access.read_only_group) ? Role::reader : Role::none;
}

bool changes_something(Method method) noexcept {
  switch (method) {
    case Method::drain:
    case Method::commit:
    case Method::release:
    case Method::flush:
    case Method::reload:
    case Method::forget:
    case Method::log_level:
      return true;
    case Method::depth:
    case Method::stats:
    case Method::uplinks:
    case Method::satellites:
    case Method::sinks:
    case Method::tail:
    case Method::health:
    case Method::version:
      return false;
  }
  return true;
}

}  // namespace meridian::control
