/// Writes answers to an HTTP client, as a whole, in pieces, or as events.
#pragma once

#include "http/client_counters.hpp"
#include "http/live.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

#include <meridian/errors.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include <chrono>
#include <string>

namespace meridian::http {

namespace asio = boost::asio;
namespace beast = boost::beast;

/// Each write fails with the error of the stream, and the connection must end then. A client that
/// does not take a piece within the timeout is counted as timed out. Holds at most one piece.
///
/// Not thread-safe: must be used on the strand of `stream`, one write at a time. `stream` and
/// `counters` must outlive it.
class ResponseWriter {
 public:
  ResponseWriter(beast::tcp_stream& stream, std::chrono::seconds timeout, ClientCounters& counters)
      : stream_(stream), timeout_(timeout), counters_(counters) {}

  /// The result of an answer after which the connection must end although nothing has failed.
  [[nodiscard]] static error_code end_of_connection();

  [[nodiscard]] asio::awaitable<error_code> write(Request request, Response response);

  // A long answer in JSON: its head, its pieces and its end. An answer to HEAD has no pieces.
  [[nodiscard]] asio::awaitable<error_code> begin_json(Request request);
  [[nodiscard]] asio::awaitable<error_code> write_piece(Request request, std::string piece);
  [[nodiscard]] asio::awaitable<error_code> end_json(Request request);

  /// Writes the head of a stream of events, which lasts until the connection ends.
  [[nodiscard]] asio::awaitable<error_code> begin_events(Request request);
  /// Writes an event. Afterwards there is no timeout, since the next event may be long in coming.
  [[nodiscard]] asio::awaitable<error_code> write_event(Live::Text event);

 private:
  /// Counts a write that has timed out; returns `ec`.
  [[nodiscard]] error_code written(error_code ec) const;

  beast::tcp_stream& stream_;
  const std::chrono::seconds timeout_;
  ClientCounters& counters_;
};

}  // namespace meridian::http
