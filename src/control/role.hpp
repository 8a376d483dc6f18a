/// What a client of the control socket may do.
#pragma once

#include "control/peer.hpp"
#include "control/protocol.hpp"
#include "control/socket_file.hpp"

#include <cstdint>

namespace meridian::control {

enum class Role : std::uint8_t {
  full,
  reader,  ///< whatever changes nothing
  none,
};

/// Without a group of readers everybody whom the socket lets in may do everything. With one, root,
/// the daemon's own user and members of the socket's group may; members of the other group may
/// read, and nobody else may do anything. Who is in both may do everything.
[[nodiscard]] Role role_of(const Peer& peer, const Access& access);

/// Whether it changes anything: frames, the daemon, or what it logs.
[[nodiscard]] bool changes_something(Method method) noexcept;

}  // namespace meridian::control
