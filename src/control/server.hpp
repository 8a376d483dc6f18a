/// Accepts clients on the control socket.
#pragma once

#include "control/client_session.hpp"
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

struct ServerOptions {
  std::string socket;
  Access access;
  std::size_t max_clients = 64;
  std::size_t max_request_bytes = 65536;
  std::chrono::seconds idle_timeout{60};  ///< 0: none
};

/// Binds in its constructor, accepts from `start` on. Runs on a strand of its own; all members but
/// `set_access` may be called from any thread. Must be held by a shared_ptr.
class Server : public std::enable_shared_from_this<Server> {
 public:
  /// Listens on the socket `inherited` if there is one, whose file is somebody else's. Throws
  /// std::runtime_error where the socket cannot be had.
  Server(const asio::any_io_executor& executor, const ServerOptions& options,
         std::optional<int> inherited, Services services);

  void start();

  /// Whether the socket is somebody else's, with its mode and group.
  [[nodiscard]] bool is_inherited() const noexcept { return !file_; }

  /// Lets others connect from now on; of a socket that was inherited, mode and group stay. Makes
  /// its file anew where it is gone, unless it was inherited. On the thread of its executor, which
  /// must have one. Throws std::runtime_error where the system refuses it; it is then as it was.
  void set_access(const Access& access);

  /// Whether clients can find it.
  [[nodiscard]] bool has_its_file() const;

  /// Goes on with other limits.
  void set_limits(const ServerOptions& options);

  /// Accepts no more and ends all clients.
  void stop();

  /// Waits until all clients have ended, after `stop`.
  [[nodiscard]] asio::awaitable<void> wait_stopped() { return clients_.wait_empty(); }

  /// Nobody waits any longer for clients that do not end.
  void give_up() { clients_.give_up(); }

 private:
  using Socket = asio::local::stream_protocol::socket;

  void open_client(Socket socket);
  /// Whether there is a place, if need be that of a client which may only read.
  [[nodiscard]] bool find_place(Role role);
  void refuse_stranger(Socket& socket, const Peer& peer);
  void refuse_for_limit(Socket& socket);
  void close_client(const std::shared_ptr<ClientSession>& client);
  /// Says why to a client that gets no session.
  static void turn_away(Socket& socket, const Error& why);
  [[nodiscard]] static asio::awaitable<void> run_client(std::shared_ptr<Server> server,
                                                        std::shared_ptr<ClientSession> client);

  asio::any_io_executor executor_;
  asio::any_io_executor strand_;
  std::size_t max_clients_;
  Access access_;                                    // for those who connect from now on
  std::optional<SocketFile> file_;                   // nothing: the socket was inherited
  std::string path_;                                 // of the socket; empty: it has none
  asio::local::stream_protocol::acceptor acceptor_;  // its executor is the server's strand
  status::ClientCounters& counters_;
  std::shared_ptr<Context> context_;
  runtime::StopGroup<ClientSession> clients_;
  runtime::LogLimit limit_log_;
};

}  // namespace meridian::control
