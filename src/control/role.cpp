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

}  // namespace meridian::control
