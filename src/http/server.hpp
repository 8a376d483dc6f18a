/// Accepts HTTP clients.
#pragma once

#include "http/client_counters.hpp"
#include "http/options.hpp"
#include "http/session.hpp"
#include "runtime/log_limit.hpp"
#include "runtime/part.hpp"
#include "runtime/stop_group.hpp"
#include "status/sources.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <optional>

namespace meridian::http {

/// Read-only: whoever can connect sees everything, and can change nothing. Binds in its
/// constructor, accepts from `start` on. All members may be called from any thread. Must be held by
/// a shared_ptr; `sources` must outlive it.
class Server final : public runtime::Part, public std::enable_shared_from_this<Server> {
 public:
  /// `options` has an address; `inherited` is a socket that listens there, to be copied. Throws
  /// std::runtime_error where it cannot be had.
  Server(const asio::any_io_executor& executor, const ServerOptions& options,
         std::optional<int> inherited, const status::Sources& sources);

  void start() override;

  /// Accepts no more and ends all clients.
  void stop() override;

  /// Waits until all clients have ended, after `stop`.
  [[nodiscard]] asio::awaitable<void> wait_stopped() override { return clients_.wait_empty(); }

  /// Nobody waits any longer for clients that do not end.
  void give_up() override { clients_.give_up(); }

 private:
  void open_client(asio::ip::tcp::socket socket);
  /// Whether there is a place; nothing where there is none. If need be it is that of a client which
  /// has asked for nothing.
  [[nodiscard]] std::optional<Session::Place> find_place();
  void refuse(asio::ip::tcp::socket& socket);
  void log_limit_reached();
  void close_client(const std::shared_ptr<Session>& client);
  [[nodiscard]] static asio::awaitable<void> run_client(std::shared_ptr<Server> server,
                                                        std::shared_ptr<Session> client);

  asio::any_io_executor executor_;
  asio::ip::tcp::acceptor acceptor_;  // its executor is the server's strand
  ClientCounters counters_;
  std::shared_ptr<Live> live_;
  std::shared_ptr<const Context> context_;
  runtime::StopGroup<Session> clients_;
  runtime::LogLimit limit_log_;
};

}  // namespace meridian::http
