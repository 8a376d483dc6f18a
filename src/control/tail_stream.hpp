/// A client that watches frames as they come.
#pragma once

#include "control/protocol.hpp"
#include "control/tail_encoder.hpp"

#include <meridian/aggregator.hpp>
#include <meridian/errors.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/system/result.hpp>

namespace meridian::control {

namespace asio = boost::asio;

/// Writes messages until there are as many frames as the request asks for, or the client goes: also
/// one that has closed its sending side, and one that does not read, which loses frames for that
/// and is told how many. On the strand of `socket`, on which nothing else may be in progress.
/// Returns what it has told. Fails with the error of the socket, or as `Tail::next` does.
///
/// `between_messages` is true while nothing of a message is on its way; it must outlive this.
[[nodiscard]] asio::awaitable<boost::system::result<TailEncoder::Told>> stream_tail(
    asio::local::stream_protocol::socket& socket, AggregatorHandle aggregator, Request request,
    bool& between_messages);

}  // namespace meridian::control
