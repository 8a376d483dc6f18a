/// Accepts clients on the control socket.
#pragma once

#include "control/client_session.hpp"
#include "control/options.hpp"
#include "control/socket_file.hpp"
#include "runtime/log_limit.hpp"
#include "runtime/stop_group.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/strand.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace meridian::control {

/// Binds in its constructor and accepts from `start` on. Runs on a strand of its own; all members
/// but `set_access` may be called from any thread. Must be held by a shared_ptr.
class Server : public std::enable_shared_from_this<Server> {
 public:
  /// Listens on the socket `inherited` if there is one; its file then belongs to another program.
  /// Throws std::runtime_error if it cannot listen.
  Server(const asio::any_io_executor& executor, const ServerOptions& options,
         std::optional<int> inherited, Services services);

  void start();

  /// Whether the socket was inherited. It then keeps the mode and group that it came with.
  [[nodiscard]] bool is_inherited() const noexcept { return !file_; }

  /// Changes who may connect from now on; an inherited socket keeps its mode and group. Creates the
  /// socket's file again if it is gone, unless the socket was inherited. Must be called on the
  /// thread of the executor, which must have only one. Throws std::runtime_error if the system
  /// refuses; access is unchanged then.
  void set_access(const Access& access);

  /// Whether the socket's file is there, so that clients can find it.
  [[nodiscard]] bool has_its_file() const;

  /// Changes the limits from now on.
  void set_limits(const ServerOptions& options);

  /// Stops accepting clients and ends all sessions.
  void stop();

  /// After `stop`: waits until all sessions have ended, or until `give_up`.
  [[nodiscard]] asio::awaitable<void> wait_stopped() { return clients_.wait_empty(); }

  /// Stops waiting for sessions that have not ended.
  void give_up() { clients_.give_up(); }

 private:
  using Socket = asio::local::stream_protocol::socket;

  void open_client(Socket socket);
  /// Whether there is a place for a client. If necessary, one with full access gets the place of a
  /// client that may only read.
  [[nodiscard]] bool find_place(Role role);
  void refuse_stranger(Socket& socket, const Peer& peer);
  void refuse_for_limit(Socket& socket);
  void close_client(const std::shared_ptr<ClientSession>& client);
  /// Tells a client why it gets no session.
  static void turn_away(Socket& socket, const Error& why);
  [[nodiscard]] static asio::awaitable<void> run_client(std::shared_ptr<Server> server,
                                                        std::shared_ptr<ClientSession> client);

  asio::any_io_executor executor_;
  asio::any_io_executor strand_;
  std::size_t max_clients_;
  Access access_;                                    // for clients that connect from now on
  std::optional<SocketFile> file_;                   // nothing: the socket was inherited
  std::string path_;                                 // of the socket; empty: it has none
  asio::local::stream_protocol::acceptor acceptor_;  // its executor is the server's strand
  status::ClientCounters& counters_;
  std::shared_ptr<Context> context_;
  runtime::StopGroup<ClientSession> clients_;
  runtime::LogLimit limit_log_;
};

}  // namespace meridian::control
