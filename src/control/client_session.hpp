/// One client of the control socket, as the daemon sees it.
#pragma once

#include "control/client_drains.hpp"
#include "control/line_reader.hpp"
#include "control/protocol.hpp"
#include "control/reply_writer.hpp"
#include "control/request_log.hpp"
#include "control/services.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <variant>

namespace meridian::control {

namespace asio = boost::asio;

/// What the sessions of a server share.
struct Context {
  Services services;
  std::atomic<std::size_t> max_request_bytes;  // may change at any time
};

/// Answers requests in order, one at a time: a client that sends many without reading waits for
/// itself. Answers are written in pieces; a client that does not read them is cut off.
///
/// Everything runs on the socket's strand; only `stop` may be called from elsewhere.
class ClientSession : public std::enable_shared_from_this<ClientSession> {
 public:
  ClientSession(asio::local::stream_protocol::socket socket,
                std::shared_ptr<const Context> context);

  /// Throws what is a fault of the program, once the session has ended.
  [[nodiscard]] asio::awaitable<void> run();

  /// Ends the session; a drain whose answer is not written by then goes back.
  void stop();

 private:
  [[nodiscard]] asio::awaitable<void> answer_lines();
  [[nodiscard]] asio::awaitable<void> refuse_long_line();

  // Each fails where the session is to end.
  [[nodiscard]] asio::awaitable<error_code> answer_line(std::string line);
  [[nodiscard]] asio::awaitable<error_code> answer(Request request);
  [[nodiscard]] asio::awaitable<error_code> answer_in_whole(Request request);
  [[nodiscard]] asio::awaitable<error_code> answer_tail(Request request);
  [[nodiscard]] asio::awaitable<error_code> answer_reload(Request request);
  [[nodiscard]] asio::awaitable<error_code> answer_forget(Request request);
  [[nodiscard]] asio::awaitable<error_code> answer_log_level(Request request);
  [[nodiscard]] asio::awaitable<error_code> answer_uplinks(Request request);
  [[nodiscard]] asio::awaitable<error_code> answer_satellites(Request request);

  /// A result as JSON, or the error that the aggregator gave.
  [[nodiscard]] asio::awaitable<std::variant<status::Json, error_code>> result_of(Method method);

  void cut_off_for_not_reading();
  void close();

  asio::local::stream_protocol::socket socket_;
  std::shared_ptr<const Context> context_;
  std::shared_ptr<ReplyWriter> writer_;
  std::shared_ptr<RequestLog> request_log_;
  LineReader lines_;
  ClientDrains drains_;
  bool closed_ = false;
};

}  // namespace meridian::control
