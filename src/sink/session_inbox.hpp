/// What happens to a session, and what is to be done in it.
#pragma once

#include "sink/refusal.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace meridian::sink {

class NatsSession;

/// The part of a session that the client library's threads may reach. It does not own the
/// connection: whoever drops the last reference to that waits for those very threads. Thread-safe;
/// nothing here waits but `next`.
class SessionInbox {
 public:
  using Job = std::function<void(NatsSession&)>;
  using WhenLost = std::function<void(const Rejection&)>;

  /// The session is of no more use. The first reason counts.
  void lose(Rejection why);
  [[nodiscard]] std::optional<Rejection> lost() const;

  /// Has a job done by the thread that serves the session, where it may wait for the server. Not
  /// done if the session is lost before.
  void ask(Job job);

  /// Has `when_lost` called by the thread that serves the session, once. False, and never called,
  /// if it is lost already.
  [[nodiscard]] bool notify(WhenLost when_lost);

  /// The next job; nothing when the session is lost or a stop is requested, and then it is lost.
  [[nodiscard]] std::optional<Job> next(const std::stop_token& stop);

  /// Those to be called now that it is lost.
  [[nodiscard]] std::vector<WhenLost> take_watchers();

  /// The server's last word about a subject that we may not use; "" if there was none.
  void set_violation(std::string text);
  [[nodiscard]] std::string violation() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  // Protected by mutex_.
  std::optional<Rejection> lost_;
  std::deque<Job> jobs_;
  std::vector<WhenLost> watchers_;
  std::string violation_;
};

}  // namespace meridian::sink
