/// One client of the control socket, as the daemon sees it.
#pragma once

#include "control/client_answers.hpp"
#include "control/client_drains.hpp"
#include "control/client_lifecycle.hpp"
#include "control/held_leases.hpp"
#include "control/line_reader.hpp"
#include "control/protocol.hpp"
#include "control/reply_writer.hpp"
#include "control/request_log.hpp"
#include "control/role.hpp"
#include "control/services.hpp"
#include "runtime/client_places.hpp"

#include <meridian/errors.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace meridian::control {

namespace asio = boost::asio;

/// What the sessions of a server share.
struct Context {
  Services services;
  // May change at any time.
  std::atomic<std::size_t> max_request_bytes;
  std::atomic<std::chrono::seconds> idle_timeout;  // 0: none
};

/// Answers requests in order, one at a time: a client that sends many without reading only delays
/// itself. Answers are written in pieces; a client that does not read them is cut off.
///
/// Everything runs on the socket's strand, except members that are marked "callable from any
/// thread". Must be held by a shared_ptr.
class ClientSession : public std::enable_shared_from_this<ClientSession> {
 public:
  ClientSession(asio::local::stream_protocol::socket socket, std::shared_ptr<const Context> context,
                const Peer& peer, Role role);

  /// Serves the client until the session ends. If an exception ended it, throws that afterwards.
  [[nodiscard]] asio::awaitable<void> run();

  /// Ends the session; the frames of a drain whose answer is not completely written go back to the
  /// buffer. Callable from any thread.
  void stop();

  /// Makes room for another client that found no place: ends the session if it has been idle for a
  /// few seconds and holds no lease. Callable from any thread.
  void give_way();

  /// Makes room for a client with full access, if this one may only read: ends the session,
  /// whatever it is doing. Callable from any thread.
  void leave_place();

  // Callable from any thread.
  [[nodiscard]] const runtime::Tenure& tenure() const noexcept { return tenure_; }
  [[nodiscard]] Role role() const noexcept { return role_; }

 private:
  [[nodiscard]] asio::awaitable<void> answer_lines();
  [[nodiscard]] asio::awaitable<void> refuse_long_line();

  // Each fails if the session must end.
  [[nodiscard]] asio::awaitable<error_code> answer_line(std::string line);
  [[nodiscard]] asio::awaitable<error_code> answer(Request request);
  /// Refuses a change by a client that may only read.
  [[nodiscard]] asio::awaitable<error_code> refuse_change(Request request);
  [[nodiscard]] asio::awaitable<error_code> answer_tail(Request request);

  void cut_off_for_not_reading();
  /// Starts the idle timeout of a wait for a request, if there is a timeout.
  void watch_idle(ClientLifecycle::Wait wait);
  /// The idle timeout of a wait has passed.
  void end_if_idle(ClientLifecycle::Wait wait, std::chrono::seconds timeout);
  void cut_off_for_idleness(std::chrono::seconds idle, std::string_view advice);
  /// Tells the client why, as far as the socket takes the text at once, and closes.
  void close_with(const Error& why);
  void close();

  asio::local::stream_protocol::socket socket_;
  std::shared_ptr<const Context> context_;
  const Peer peer_;
  const Role role_;
  runtime::Tenure tenure_;
  std::shared_ptr<ReplyWriter> writer_;
  std::shared_ptr<RequestLog> request_log_;
  LineReader lines_;
  HeldLeases leases_;
  ClientLifecycle lifecycle_;
  ClientDrains drains_;
  ClientAnswers answers_;
  asio::steady_timer idle_timer_;
};

}  // namespace meridian::control
