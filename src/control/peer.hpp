/// Who is at the other end of the control socket.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>

#include <sys/types.h>

namespace meridian::control {

/// As the kernel knew it when the client connected (SO_PEERCRED).
struct Peer {
  uid_t uid = static_cast<uid_t>(-1);
  pid_t pid = 0;
};

[[nodiscard]] Peer peer_of(boost::asio::local::stream_protocol::socket& socket);

}  // namespace meridian::control
