/// One client of the HTTP server.
#pragma once

#include "http/answers.hpp"
#include "http/context.hpp"
#include "http/options.hpp"
#include "http/request_check.hpp"
#include "http/response_writer.hpp"
#include "runtime/client_places.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include <atomic>
#include <memory>

namespace meridian::http {

namespace asio = boost::asio;
namespace beast = boost::beast;

/// Answers GET and HEAD, one request after another. A client that exceeds the timeout is cut off.
/// The session holds at most one piece of an answer.
///
/// Everything runs on the socket's strand, except members that are marked "callable from any
/// thread". Must be held by a shared_ptr.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(asio::ip::tcp::socket socket, std::shared_ptr<const Context> context, Place place);

  [[nodiscard]] asio::awaitable<void> run();

  /// Callable from any thread.
  void stop();

  /// Makes room for another client, if this one has not sent a request: ends the session. Callable
  /// from any thread.
  void leave_place();
  /// Callable from any thread.
  [[nodiscard]] const runtime::Tenure& tenure() const noexcept { return tenure_; }

  /// Whether the client has ever sent a complete request. Callable from any thread.
  [[nodiscard]] bool has_asked() const noexcept { return has_asked_; }

 private:
  /// Reads a request and answers it. Returns false if none follows.
  [[nodiscard]] asio::awaitable<bool> serve_one();

  /// Ensures that a client gets the answer even if it has sent more than was read. Reads and
  /// discards what the client still sends, within bounds, and then closes.
  [[nodiscard]] asio::awaitable<void> close();

  beast::tcp_stream stream_;
  std::shared_ptr<const Context> context_;
  const Place place_;
  runtime::Tenure tenure_;
  std::atomic<bool> has_asked_{false};
  RequestCheck check_;
  ResponseWriter writer_;
  Answers answers_;
  beast::flat_buffer received_;
  bool answered_ = false;  // a request, or something that could not be read as one
};

}  // namespace meridian::http
