/// Who is at the other end of the control socket.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>

#include <algorithm>
#include <vector>

#include <sys/types.h>

namespace meridian::control {

/// The client, as the kernel saw it when it connected (SO_PEERCRED, SO_PEERGROUPS).
struct Peer {
  uid_t uid = static_cast<uid_t>(-1);
  pid_t pid = 0;
  std::vector<gid_t> groups;  ///< all of them

  [[nodiscard]] bool is_in(gid_t group) const {
    return std::ranges::find(groups, group) != groups.end();
  }
};

[[nodiscard]] Peer peer_of(boost::asio::local::stream_protocol::socket& socket);

}  // namespace meridian::control
