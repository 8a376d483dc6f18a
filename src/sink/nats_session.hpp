/// One connection to one server, from connecting to its loss.
#pragma once

#include "sink/nats_handles.hpp"
#include "sink/options.hpp"
#include "sink/refusal.hpp"
#include "sink/server_url.hpp"
#include "sink/session_inbox.hpp"

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

namespace meridian::sink {

/// A connection of the client library that does not reconnect. After a loss there is another
/// session: so what was on its way is known to be without an answer at once, and the library holds
/// nothing for a server that may come back. (The library's own reconnecting waits for its first
/// connection inside the call, ends for good after two authorization errors, and keeps what is
/// published meanwhile.)
///
/// Thread-safety: `native` as the library says, that is from any thread; the rest too, but `serve`
/// is for one. The last reference must not be dropped on one of the library's threads, which the
/// destructor waits for, at most `write_deadline`.
class NatsSession {
 public:
  /// To be connected and let in by one server. A name that has to be looked up may take longer.
  static constexpr std::chrono::milliseconds connect_timeout{2000};
  /// A server that does not read for that long is given up.
  static constexpr std::chrono::milliseconds write_deadline{2500};
  /// One that does not answer two pings is too: after 6 s.
  static constexpr std::chrono::milliseconds ping_interval{2000};

  /// Tries the servers in random order, each once. The error names all of them; its kind is
  /// `unreachable` only if none said anything else. Waits.
  [[nodiscard]] static Result<std::shared_ptr<NatsSession>> connect(
      const Options& options, const std::stop_token& stop = {});

  NatsSession(ConnectionHandle connection, ServerUrl server, std::shared_ptr<SessionInbox> inbox,
              void* closure);
  NatsSession(const NatsSession&) = delete;
  NatsSession& operator=(const NatsSession&) = delete;
  ~NatsSession();

  [[nodiscard]] natsConnection* native() const noexcept { return connection_.get(); }
  /// Without user and password.
  [[nodiscard]] const std::string& server() const noexcept { return server_.shown; }
  [[nodiscard]] const std::shared_ptr<SessionInbox>& inbox() const noexcept { return inbox_; }

  /// Does what is asked for until the session is lost or a stop is requested. Then it closes the
  /// connection, so that no answer comes any more, and calls those who wait for that.
  void serve(const std::stop_token& stop);

  /// Whether the library has given up writing in the middle of a message: then nothing of what
  /// comes behind it can be trusted.
  [[nodiscard]] bool cut() const;

 private:
  ConnectionHandle connection_;
  ServerUrl server_;
  std::shared_ptr<SessionInbox> inbox_;
  void* closure_;
};

}  // namespace meridian::sink
