/// Keeps a sink connected.
#pragma once

#include "sink/options.hpp"
#include "sink/outlet.hpp"
#include "sink/refusal.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <variant>

namespace meridian::sink {

class NatsSession;

/// To which server, without user and password.
struct Connected {
  std::string server;

  friend bool operator==(const Connected&, const Connected&) = default;
};

/// Why there is no connection: it was lost, or in the last round no server let us in.
using ConnectionState = std::variant<Rejection, Connected>;

/// A session after the other, with a thread of its own that connects, looks on, and connects again,
/// for as long as it lives and whatever the reason for the loss. Between two rounds of all servers
/// it pauses (see Pauses); not after the loss of a connection that had lasted for `steady`.
///
/// Thread-safety: all members from any thread; none waits but the destructor, which ends an attempt
/// to connect that is under way: at most NatsSession::connect_timeout, or write_deadline.
/// Errors: none. What is wrong with the options, such as a file that cannot be read, is a state
/// like any other, since it can be put right meanwhile.
class NatsConnection {
 public:
  static constexpr std::chrono::seconds steady{10};
  using OnChange = std::function<void(const ConnectionState&)>;

  /// `on_change` runs in `executor` for each connection, each loss, and each round that reached no
  /// server; not after the destructor, which may run in it. See Outlet.
  NatsConnection(Options options, const asio::any_io_executor& executor, OnChange on_change);
  NatsConnection(const NatsConnection&) = delete;
  NatsConnection& operator=(const NatsConnection&) = delete;
  ~NatsConnection();

  /// The session as it is now, or nullptr. It may be lost at any moment.
  [[nodiscard]] std::shared_ptr<NatsSession> session() const;

  [[nodiscard]] ConnectionState state() const;

 private:
  void run(const std::stop_token& stop);
  void change(std::shared_ptr<NatsSession> session, ConnectionState state);

  const Options options_;
  const std::shared_ptr<Outlet<ConnectionState>> on_change_;

  mutable std::mutex mutex_;
  // Protected by mutex_.
  std::shared_ptr<NatsSession> session_;
  ConnectionState state_ = Rejection{Refusal::unreachable, "no server has been tried yet"};

  std::jthread thread_;  // the last member: it uses all others
};

}  // namespace meridian::sink
