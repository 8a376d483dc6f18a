/// What a client of the control socket may do.
#pragma once

#include "control/peer.hpp"
#include "control/socket_file.hpp"

#include <cstdint>

namespace meridian::control {

enum class Role : std::uint8_t {
  full,
  reader,  ///< only what changes nothing
  none,
};

/// Without a read-only group, every client that the socket lets in has full access. With one, root,
/// the daemon's own user and members of the socket's group have full access. Members of the
/// read-only group may read, and all other clients may do nothing. A member of both groups has full
/// access.
[[nodiscard]] Role role_of(const Peer& peer, const Access& access);

}  // namespace meridian::control
