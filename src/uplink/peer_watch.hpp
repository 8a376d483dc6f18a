/// Peers that have gone without a word.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <chrono>

namespace meridian::uplink {

/// Has the kernel ask the peer's machine whether the connection is still there, and end it with an
/// error once there is no answer for `timeout`: a machine that lost its power, or a firewall that
/// forgot the connection, sends no end of stream. A peer that is up and says nothing answers all
/// the same. With 0 the kernel asks as it does unless told otherwise, after two hours.
void watch_peer(boost::asio::ip::tcp::socket& socket, std::chrono::seconds timeout);

}  // namespace meridian::uplink
