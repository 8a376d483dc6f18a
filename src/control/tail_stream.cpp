#include "control/tail_stream.hpp"

#include "runtime/use_tuple.hpp"

#include <meridian/tail.hpp>

#include <boost/asio/write.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace meridian::control {

namespace {

using Socket = asio::local::stream_protocol::socket;

using runtime::use_tuple;

/// Ends the watch when the client closes its end, which nothing else would reveal while no frames
/// arrive.
void end_with_client(Socket& socket, const std::shared_ptr<Tail>& tail) {
  socket.async_wait(Socket::wait_error, [tail](const error_code&) { tail->end(); });
}

/// Has no timeout, unlike other answers: a watcher may stop reading.
asio::awaitable<error_code> write(Socket& socket, const TailEncoder::Message& message,
                                  ClientLifecycle& lifecycle) {
  std::vector<asio::const_buffer> buffers{asio::buffer(message.line)};
  buffers.insert(buffers.end(), message.octets.begin(), message.octets.end());
  lifecycle.answer();
  const auto [ec, bytes] = co_await asio::async_write(socket, buffers, use_tuple);
  if (!ec) {
    lifecycle.watch();
  }
  co_return ec;
}

asio::awaitable<error_code> write_messages(Socket& socket, Tail& tail, TailEncoder& encoder,
                                           ClientLifecycle& lifecycle) {
  TailEncoder::Message message = encoder.begin();
  error_code ec = co_await write(socket, message, lifecycle);
  while (!ec && !encoder.reached_limit()) {
    auto piece = co_await tail.next();
    if (!piece) {
      co_return piece.error();
    }
    encoder.add(*std::move(piece));
    while (!ec && encoder.next(message)) {
      ec = co_await write(socket, message, lifecycle);
    }
  }
  co_return ec;
}

}  // namespace

asio::awaitable<boost::system::result<TailEncoder::Told>> stream_tail(Socket& socket,
                                                                      AggregatorHandle aggregator,
                                                                      Request request,
                                                                      ClientLifecycle& lifecycle) {
  TailQuery query;
  query.satellite_id = request.tail.satellite_id;
  query.channel_id = request.tail.channel_id;
  auto begun = co_await aggregator.tail(query);
  if (!begun) {
    co_return begun.error();
  }
  const auto tail = std::make_shared<Tail>(*std::move(begun));
  end_with_client(socket, tail);
  TailEncoder encoder(request);
  const error_code ec = co_await write_messages(socket, *tail, encoder, lifecycle);
  lifecycle.answer();
  error_code ignored;
  socket.cancel(ignored);  // stops waiting for the client to close its end
  if (ec) {
    co_return ec;
  }
  co_return encoder.told();
}

}  // namespace meridian::control
