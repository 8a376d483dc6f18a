#include "control/peer.hpp"

#include <sys/socket.h>

namespace meridian::control {

Peer peer_of(boost::asio::local::stream_protocol::socket& socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return {};
  }
  return {.uid = credentials.uid, .pid = credentials.pid};
}

}  // namespace meridian::control
