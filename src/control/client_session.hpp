/// One client of the control socket, as the daemon sees it.
#pragma once

#include "control/client_drains.hpp"
#include "control/line_reader.hpp"
#include "control/protocol.hpp"
#include "control/reply_writer.hpp"
#include "control/request_log.hpp"
#include "control/role.hpp"
#include "control/services.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace meridian::control {

namespace asio = boost::asio;

/// What the sessions of a server share.
struct Context {
  Services services;
  // May change at any time.
  std::atomic<std::size_t> max_request_bytes;
  std::atomic<std::chrono::seconds> idle_timeout;  // 0: none
};

/// Answers requests in order, one at a time: a client that sends many without reading waits for
/// itself. Answers are written in pieces; a client that does not read them is cut off.
///
/// Everything runs on the socket's strand; only what says so may be called from elsewhere.
class ClientSession : public std::enable_shared_from_this<ClientSession> {
 public:
  ClientSession(asio::local::stream_protocol::socket socket, std::shared_ptr<const Context> context,
                const Peer& peer, Role role);

  /// Throws what is a fault of the program, once the session has ended.
  [[nodiscard]] asio::awaitable<void> run();

  /// Ends the session; a drain whose answer is not written by then goes back. On any thread.
  void stop();

  /// Another client found no place: ends the session if it has asked for nothing for a few seconds
  /// and holds no lease. On any thread.
  void give_way();

  /// A client that may do everything needs the place of this one, which may only read: ends the
  /// session, whatever it does. On any thread.
  void leave_place();
  /// Whether `leave_place` was called: then its place is another client's. On any thread.
  [[nodiscard]] bool has_left_place() const noexcept { return has_left_place_; }

  // On any thread.
  [[nodiscard]] Role role() const noexcept { return role_; }
  [[nodiscard]] std::chrono::steady_clock::time_point connected_at() const noexcept {
    return connected_at_;
  }

 private:
  [[nodiscard]] asio::awaitable<void> answer_lines();
  [[nodiscard]] asio::awaitable<void> refuse_long_line();

  // Each fails where the session is to end.
  [[nodiscard]] asio::awaitable<error_code> answer_line(std::string line);
  [[nodiscard]] asio::awaitable<error_code> answer(Request request);
  /// To a client that may only read.
  [[nodiscard]] asio::awaitable<error_code> refuse_change(Request request);
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
  /// Ends the session where no request comes for a while.
  void watch_idle();
  void cut_off_for_idleness(std::chrono::seconds idle, std::string_view advice);
  /// Says why, as far as the client takes it, and closes.
  void close_with(const Error& why);
  void close();

  asio::local::stream_protocol::socket socket_;
  std::shared_ptr<const Context> context_;
  const Peer peer_;
  const Role role_;
  const std::chrono::steady_clock::time_point connected_at_ = std::chrono::steady_clock::now();
  std::atomic<bool> has_left_place_{false};
  std::shared_ptr<ReplyWriter> writer_;
  std::shared_ptr<RequestLog> request_log_;
  LineReader lines_;
  ClientDrains drains_;
  asio::steady_timer idle_timer_;
  std::optional<asio::steady_timer::time_point> waiting_since_;  // for a request
  std::uint64_t request_ = 0;   // which one is waited for: a tick on its way is for an earlier one
  bool tail_is_quiet_ = false;  // it streams, and nothing of a message is on its way
  bool closed_ = false;
};

}  // namespace meridian::control
