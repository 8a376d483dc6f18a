/// One client of the control socket, as the daemon sees it.
#pragma once

#include "control/held_leases.hpp"
#include "control/protocol.hpp"
#include "control/reply_writer.hpp"
#include "control/request_log.hpp"
#include "control/services.hpp"
#include "runtime/log_limit.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

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

  [[nodiscard]] asio::awaitable<void> run();

  /// Ends the session; a drain whose answer is not written by then goes back.
  void stop();

 private:
  /// The next line, without its end; nothing at the end of the stream or of the session.
  [[nodiscard]] asio::awaitable<std::optional<std::string>> read_line();
  [[nodiscard]] std::optional<std::string> take_line();
  [[nodiscard]] asio::awaitable<void> refuse_long_line();

  [[nodiscard]] asio::awaitable<void> answer_line(std::string line);
  [[nodiscard]] asio::awaitable<void> answer(Request request);
  [[nodiscard]] asio::awaitable<void> answer_in_whole(Request request);
  [[nodiscard]] asio::awaitable<void> answer_drain(Request request);
  [[nodiscard]] asio::awaitable<void> answer_leased_drain(Request request);
  [[nodiscard]] asio::awaitable<void> answer_lease_end(Request request);
  [[nodiscard]] asio::awaitable<void> answer_tail(Request request);
  [[nodiscard]] asio::awaitable<void> answer_reload(Request request);
  [[nodiscard]] asio::awaitable<void> answer_log_level(Request request);
  [[nodiscard]] asio::awaitable<void> answer_uplinks(Request request);
  [[nodiscard]] asio::awaitable<void> answer_satellites(Request request);

  /// A result as JSON, or the error that the aggregator gave.
  [[nodiscard]] asio::awaitable<std::variant<status::Json, error_code>> result_of(Method method);

  /// The frames of a drain, in the format that was asked for; with a lease its id is told. What
  /// these refer to stays in the coroutine that waits for them.
  [[nodiscard]] asio::awaitable<error_code> write_frames(const Request& request,
                                                         const Drained& drained,
                                                         std::optional<LeaseId> lease);
  [[nodiscard]] asio::awaitable<error_code> write_json(const Request& request,
                                                       const Drained& drained,
                                                       std::optional<LeaseId> lease);
  [[nodiscard]] asio::awaitable<error_code> write_binary(const Request& request,
                                                         const Drained& drained,
                                                         std::optional<LeaseId> lease);

  /// Nobody is there any more who could commit them.
  [[nodiscard]] asio::awaitable<void> release_leases();

  /// Writes; where that fails the session ends.
  [[nodiscard]] asio::awaitable<error_code> write(std::string_view text);
  [[nodiscard]] asio::awaitable<error_code> write(std::vector<asio::const_buffer> buffers);

  void note_refused_notification(std::string_view why);
  void cut_off_for_not_reading();
  void close();

  asio::local::stream_protocol::socket socket_;
  std::shared_ptr<const Context> context_;
  std::shared_ptr<ReplyWriter> writer_;
  std::shared_ptr<RequestLog> request_log_;
  HeldLeases leases_;
  std::string received_;      // what was read and not yet answered
  std::size_t searched_ = 0;  // octets of received_ that have no line end
  bool end_of_stream_ = false;
  bool closed_ = false;
  runtime::LogLimit notification_log_;
};

}  // namespace meridian::control
