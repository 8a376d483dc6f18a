/// Streams frames as they arrive to a client that watches.
#pragma once

#include "control/client_lifecycle.hpp"
#include "control/protocol.hpp"
#include "control/tail_encoder.hpp"

#include <meridian/aggregator.hpp>
#include <meridian/errors.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/system/result.hpp>

namespace meridian::control {

namespace asio = boost::asio;

/// Writes messages until they have as many frames as the request asks for, or until the client
/// leaves. A client that has closed only its sending side still gets messages. One that does not
/// read loses frames, and is told how many. Must be called on the strand of `socket`, which must
/// have no other operation in progress. Returns what was told. Fails with the error of the socket,
/// or as `Tail::next` does.
///
/// `lifecycle` is told when a message is about to be written, and when it is written. It must
/// outlive the call. Once this returns, the client no longer watches.
[[nodiscard]] asio::awaitable<boost::system::result<TailEncoder::Told>> stream_tail(
    asio::local::stream_protocol::socket& socket, AggregatorHandle aggregator, Request request,
    ClientLifecycle& lifecycle);

}  // namespace meridian::control
