/// Notices peers that are gone without having closed their connection.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <chrono>

namespace meridian::uplink {

/// Makes the kernel probe the peer's machine. If no answer comes for `timeout`, the kernel ends the
/// connection with an error. Probes are needed because no end of stream comes from a machine that
/// lost its power, or through a firewall that forgot the connection. A peer that is up answers the
/// probes even if it sends nothing. With a `timeout` of 0 the kernel probes as it does by default:
/// for the first time after two hours.
void watch_peer(boost::asio::ip::tcp::socket& socket, std::chrono::seconds timeout);

}  // namespace meridian::uplink
