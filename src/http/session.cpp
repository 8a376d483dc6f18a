#include "http/session.hpp"

#include "http/request.hpp"
#include "http/response.hpp"
#include "runtime/lost_peers.hpp"
#include "runtime/use_tuple.hpp"

#include <meridian/errors.hpp>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/verb.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace meridian::http {

namespace {

using runtime::use_tuple;

/// How long a client in a reserved place has for its request: other clients may need the place.
constexpr std::chrono::seconds reserved_place_timeout{2};

// How much, and for how long, a peer may go on sending after the last answer.
constexpr std::size_t most_discarded_bytes = 4 * 1024 * 1024;
constexpr std::chrono::seconds discard_time{1};

/// Unspecified if the client has gone already.
asio::ip::address local_address_of(const asio::ip::tcp::socket& socket) {
  error_code gone;
  return socket.local_endpoint(gone).address();
}

}  // namespace

Session::Session(asio::ip::tcp::socket socket, std::shared_ptr<const Context> context, Place place)
    : stream_(std::move(socket)),
      context_(std::move(context)),
      place_(place),
      tenure_(runtime::Tenure::Clock::now()),
      check_(context_->options.names, local_address_of(stream_.socket())),
      writer_(stream_, context_->options.timeout, context_->counters),
      answers_(*context_, place_, writer_),
      received_(max_request_bytes) {
  runtime::notice_lost_peers(stream_.socket(), context_->options.timeout);
}

asio::awaitable<void> Session::run() {
  for (bool more = true; more;) {
    more = co_await serve_one();
  }
  co_await close();
}

void Session::stop() {
  asio::dispatch(stream_.get_executor(), [self = shared_from_this()] { self->stream_.close(); });
}

void Session::leave_place() {
  tenure_.end();
  stop();
}

asio::awaitable<void> Session::close() {
  error_code ec;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ec);
  // Closing with unread octets would send a reset, which can overtake the answer.
  stream_.expires_after(discard_time);
  for (std::size_t discarded = 0; !ec && discarded < most_discarded_bytes;) {
    received_.clear();
    const auto [failed, bytes] =
        co_await stream_.async_read_some(received_.prepare(max_request_bytes), use_tuple);
    ec = failed;
    discarded += bytes;
  }
  stream_.close();
}

asio::awaitable<bool> Session::serve_one() {
  beast::http::request_parser<beast::http::empty_body> parser;
  parser.header_limit(max_request_bytes);
  parser.body_limit(0);
  stream_.expires_after(place_ == Place::reserved
                            ? std::min(reserved_place_timeout, context_->options.timeout)
                            : context_->options.timeout);
  const auto [read_error, bytes] =
      co_await beast::http::async_read(stream_, received_, parser, use_tuple);
  const auto& message = parser.get();
  Request request{.head = message.method() == beast::http::verb::head,
                  .keep_alive = !read_error && parser.keep_alive() && place_ == Place::ordinary,
                  .version = std::clamp(message.version(), 10U, 11U)};
  const bool is_idle = answered_ && bytes == 0 && received_.size() == 0;
  answered_ = true;
  if (!read_error) {
    has_asked_ = true;
  }
  if (read_error == beast::error::timeout && !is_idle) {
    context_->counters.timed_out();  // an idle connection that was kept alive does not count
  }
  error_code ec = read_error;
  if (auto refused = check_.refusal_of(request, message, read_error)) {
    ec = co_await writer_.write(request, *std::move(refused));
  } else if (!read_error) {
    ec = co_await answers_.answer(request, std::string(message.target()));
  }
  co_return !ec && request.keep_alive;
}

}  // namespace meridian::http
