/// Notices peers that are gone but have not closed their connection.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <chrono>

namespace meridian::uplink {

/// Has the kernel probe the peer's machine, and end the connection with an error after `timeout`
/// without an answer: a machine that lost its power, or a firewall that forgot the connection,
/// sends no end of stream. A peer that is up but sends nothing still answers. With 0 the kernel
/// probes as it does by default, after two hours.
void watch_peer(boost::asio::ip::tcp::socket& socket, std::chrono::seconds timeout);

}  // namespace meridian::uplink
