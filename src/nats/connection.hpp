/// Keeps a client connected.
#pragma once

#include "nats/connect_options.hpp"
#include "nats/outlet.hpp"
#include "nats/refusal.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <variant>

namespace meridian::nats {

class Session;

/// There is a connection to `server`, a URL without user and password.
struct Connected {
  std::string server;

  friend bool operator==(const Connected&, const Connected&) = default;
};

/// A Rejection says why there is no connection: it was lost, or no server accepted one in the last
/// round.
using ConnectionState = std::variant<Rejection, Connected>;

/// Has one session after another. A thread of its own connects, serves the session, and connects
/// again, as long as this object lives, whatever the reason for the loss. A round tries all
/// servers. The thread pauses between two rounds (see runtime::Pauses), but not after the loss of a
/// connection that had lasted for `steady`.
///
/// Thread-safety: all members may be called from any thread. Only the destructor waits. It may wait
/// for an attempt to connect: about Session::connect_timeout, or longer if a name must be resolved,
/// or if `connect` repeats the attempt. Otherwise it may wait for a job of the session that is in
/// progress, and then at most Session::write_deadline.
/// Errors: none. If something is wrong with the options, such as a file that cannot be read, that
/// is a state like any other: an operator can fix it meanwhile.
class Connection {
 public:
  static constexpr std::chrono::seconds steady{10};
  using OnChange = std::function<void(const ConnectionState&)>;

  /// `on_change` runs in `executor` for each connection, each loss, and each round that reached no
  /// server. It does not run after the destructor. It may itself destroy this object. See Outlet.
  Connection(ConnectOptions options, const asio::any_io_executor& executor, OnChange on_change);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// The current session, or nullptr. It may be lost at any moment.
  [[nodiscard]] std::shared_ptr<Session> session() const;

  [[nodiscard]] ConnectionState state() const;

 private:
  void run(const std::stop_token& stop);
  void change(std::shared_ptr<Session> session, ConnectionState state);

  const ConnectOptions options_;
  const std::shared_ptr<Outlet<ConnectionState>> on_change_;

  mutable std::mutex mutex_;
  // Protected by mutex_.
  std::shared_ptr<Session> session_;
  ConnectionState state_ = Rejection{Refusal::unreachable, "no server has been tried yet"};

  std::jthread thread_;  // the last member: it uses all others
};

}  // namespace meridian::nats
