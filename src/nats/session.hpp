/// One connection to one server, from connecting to its loss.
#pragma once

#include "nats/connect_options.hpp"
#include "nats/handles.hpp"
#include "nats/refusal.hpp"
#include "nats/server_url.hpp"
#include "nats/session_inbox.hpp"

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

namespace meridian::nats {

/// A connection of the client library, which does not reconnect. After a loss, a new session takes
/// its place. So it is known at once that messages in flight get no answer, and the library keeps
/// no messages for a server that may come back. (The library's own reconnecting blocks in the call
/// until the first connection, gives up for good after two authorization errors, and keeps what is
/// published meanwhile.)
///
/// Thread-safety: all members may be called from any thread, but `serve` from only one. What
/// `native` returns may be used from any thread, too, as the library documents. The last reference
/// to a session must not be dropped on one of the library's threads: the destructor waits for those
/// threads, at most for `write_deadline`.
class Session {
 public:
  /// The time for connecting and logging in to one server. To resolve a name may take longer.
  static constexpr std::chrono::milliseconds connect_timeout{2000};
  /// A session gives up a server that does not read for this long.
  static constexpr std::chrono::milliseconds write_deadline{2500};
  /// It also gives up a server that does not answer two pings: after 6 s.
  static constexpr std::chrono::milliseconds ping_interval{2000};

  /// Tries the servers in random order, each once. The error gives a reason for each server. Its
  /// kind is that of the first reason other than `unreachable`, if there is one. Blocks.
  [[nodiscard]] static Result<std::shared_ptr<Session>> connect(const ConnectOptions& options,
                                                                const std::stop_token& stop = {});

  Session(ConnectionHandle connection, ServerUrl server, std::shared_ptr<SessionInbox> inbox,
          void* closure);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  [[nodiscard]] natsConnection* native() const noexcept { return connection_.get(); }
  /// Without user and password.
  [[nodiscard]] const std::string& server() const noexcept { return server_.shown; }
  [[nodiscard]] const std::shared_ptr<SessionInbox>& inbox() const noexcept { return inbox_; }

  /// Does the jobs in the inbox until the session is lost, or until a stop is requested. Then
  /// closes the connection, so that no more answers come, and calls the functions that wait for the
  /// loss.
  void serve(const std::stop_token& stop);

  /// Whether the library has given up writing, which it may do in the middle of a message. Then
  /// nothing that was sent after that can be trusted.
  [[nodiscard]] bool cut() const;

 private:
  ConnectionHandle connection_;
  ServerUrl server_;
  std::shared_ptr<SessionInbox> inbox_;
  void* closure_;
};

}  // namespace meridian::nats
