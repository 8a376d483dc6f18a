#include "control/peer.hpp"

#include <cerrno>
#include <utility>
#include <vector>

#include <sys/socket.h>

namespace meridian::control {

Peer peer_of(boost::asio::local::stream_protocol::socket& socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return {};
  }
  Peer peer{.uid = credentials.uid, .pid = credentials.pid, .groups = {}};
  std::vector<gid_t> groups(64);
  socklen_t bytes = 0;
  int failed = 0;
  do {  // the system says how much room it needs
    bytes = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    failed = ::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERGROUPS, groups.data(), &bytes);
    if (failed != 0 && errno == ERANGE) {
      groups.resize(bytes / sizeof(gid_t));
    }
  } while (failed != 0 && errno == ERANGE);
  if (failed == 0) {
    groups.resize(bytes / sizeof(gid_t));
    peer.groups = std::move(groups);
  }
  peer.groups.push_back(credentials.gid);
  return peer;
}

}  // namespace meridian::control
