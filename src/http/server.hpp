/// Accepts HTTP clients.
#pragma once

#include "http/client_counters.hpp"
#include "http/context.hpp"
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

/// Read-only: any client that can connect sees everything and can change nothing. Binds in its
/// constructor and accepts from `start` on. All members may be called from any thread. Must be held
/// by a shared_ptr; `sources` must outlive it.
class Server final : public runtime::Part, public std::enable_shared_from_this<Server> {
 public:
  /// `options.listen` must be set. `inherited` is a socket that listens there; the server uses a
  /// copy. Throws std::runtime_error if it cannot listen.
  Server(const asio::any_io_executor& executor, const ServerOptions& options,
         std::optional<int> inherited, const status::Sources& sources);

  void start() override;

  /// Stops accepting clients and ends all sessions.
  void stop() override;

  /// After `stop`: waits until all sessions have ended, or until `give_up`.
  [[nodiscard]] asio::awaitable<void> wait_stopped() override { return clients_.wait_empty(); }

  /// Stops waiting for sessions that have not ended.
  void give_up() override { clients_.give_up(); }

 private:
  void open_client(asio::ip::tcp::socket socket);
  /// The place for a new client; nothing if there is none. If necessary, takes the place of a
  /// client that has not sent a request yet.
  [[nodiscard]] std::optional<Place> find_place();
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
