/// Accepts uplinks on one address.
#pragma once

#include "runtime/log_limit.hpp"
#include "runtime/stop_group.hpp"
#include "status/uplink_table.hpp"
#include "uplink/options.hpp"
#include "uplink/session.hpp"

#include <meridian/aggregator.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

namespace meridian::uplink {

/// Makes an acceptor that owns a listening socket. There may be duplicates of the descriptor. As
/// long as one of them is open, the kernel leaves the socket in Asio's reactor. On close, Asio
/// itself takes only an assigned socket out of its reactor, so this function assigns the socket. If
/// the descriptor cannot be used, closes it and throws boost::system::system_error.
[[nodiscard]] asio::ip::tcp::acceptor adopt_listening(const asio::any_io_executor& executor,
                                                      const asio::ip::tcp& protocol,
                                                      int descriptor);

/// Opens a socket that listens on the address in the options. If that fails, throws
/// std::runtime_error, which names the listener and the address.
[[nodiscard]] asio::ip::tcp::acceptor listen_on(const asio::any_io_executor& executor,
                                                const ListenerOptions& options);

/// Accepts uplinks once it is started, and owns their sessions.
///
/// Runs on the first of its executors; all members may be called from any thread. Must be held by a
/// shared_ptr. The listener, and the objects that it refers to, must outlive the execution
/// context's `run`.
class Listener : public std::enable_shared_from_this<Listener> {
 public:
  using Acceptor = asio::ip::tcp::acceptor;

  /// Spreads sessions evenly over `executors`. Each executor must run one handler at a time. Of the
  /// sessions on one executor, one reads at a time. The acceptor must be on the first executor.
  Listener(const std::vector<asio::any_io_executor>& executors, ListenerOptions options,
           Acceptor acceptor, AggregatorHandle aggregator, status::UplinkTable& table);

  void start();

  /// Switches to other options, and to another socket if one is given, without ending a session.
  /// Name, framing and satellite must be the same.
  void update(ListenerOptions options, std::optional<Acceptor> acceptor);

  /// Stops accepting, releases the address, and ends the sessions.
  void stop(status::CloseReason reason);

  [[nodiscard]] bool has_sessions() const { return sessions_.size() > 0; }

  /// After `stop`: waits until all sessions have handed over what they have read.
  [[nodiscard]] asio::awaitable<void> wait_stopped() { return sessions_.wait_empty(); }

  /// Stops waiting for sessions that have not ended.
  void give_up() { sessions_.give_up(); }

 private:
  /// An executor for sessions, which runs one handler at a time, and the turns of its sessions.
  struct ThreadOfSessions {
    asio::any_io_executor executor;
    std::shared_ptr<Turns> turns;
  };

  /// The executor on which everything but the sessions runs.
  [[nodiscard]] const asio::any_io_executor& executor() const { return threads_.front().executor; }

  void announce(const ListenerOptions& options, const Acceptor& acceptor);
  void open_session(asio::ip::tcp::socket socket, const ThreadOfSessions& thread);
  void refuse(asio::ip::tcp::socket& socket, const std::shared_ptr<status::UplinkRecord>& record);
  void run_session(asio::ip::tcp::socket socket, const ThreadOfSessions& thread,
                   const std::shared_ptr<status::UplinkRecord>& record);

  std::vector<ThreadOfSessions> threads_;  // constant after construction

  // Touched on `executor()` alone.
  Acceptor acceptor_;
  std::size_t next_thread_ = 0;
  std::shared_ptr<const ListenerOptions> options_;
  runtime::LogLimit limit_log_;

  AggregatorHandle aggregator_;
  status::UplinkTable& table_;
  runtime::StopGroup<Session> sessions_;
  std::atomic<std::size_t> open_sessions_{0};
};

}  // namespace meridian::uplink
