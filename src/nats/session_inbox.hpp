/// The events of a session, and the jobs to be done in it.
#pragma once

#include "nats/refusal.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::nats {

class Session;

/// The part of a session that the client library's threads may use. It does not own the connection,
/// whose destructor waits for those very threads. Thread-safe; only `next` waits.
class SessionInbox {
 public:
  using Job = std::function<void(Session&)>;
  using WhenLost = std::function<void(const Rejection&)>;

  /// Marks the session as lost. The first call gives the reason.
  void lose(Rejection why);
  [[nodiscard]] std::optional<Rejection> lost() const;

  /// Gives the thread that serves the session a job, which may wait for the server. If the session
  /// is lost first, the job is destroyed without being done.
  void ask(Job job);

  /// Makes the thread that serves the session call `when_lost` once, after the session is lost. If
  /// it is lost already, returns false, and `when_lost` is never called.
  [[nodiscard]] bool notify(WhenLost when_lost);

  /// Waits for the next job. Returns nothing once the session is lost. A stop request marks the
  /// session as lost.
  [[nodiscard]] std::optional<Job> next(const std::stop_token& stop);

  /// Takes out the functions that are to be called now that the session is lost.
  [[nodiscard]] std::vector<WhenLost> take_watchers();

  /// Keeps the server's latest complaint about a subject that this client may not use.
  void set_violation(std::string text);
  /// The complaint, if it explains why what was sent to `subject` has no effect: it is about that
  /// subject, or about the subscription through which answers come. Otherwise "".
  [[nodiscard]] std::string violation_about(std::string_view subject) const;
  /// Drops the complaint if `violation_about` returns it for this subject. To be called when an
  /// answer has come: permissions can change during a connection, and a later silence has another
  /// reason.
  void forget_violation_about(std::string_view subject);

 private:
  /// With `mutex_` held.
  [[nodiscard]] bool violation_explains(std::string_view subject) const;
  /// With `mutex_` held. Returns the jobs that were not done, to be destroyed after `mutex_` is
  /// released.
  [[nodiscard]] std::deque<Job> set_lost(Rejection why);

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  // Protected by mutex_.
  std::optional<Rejection> lost_;
  std::deque<Job> jobs_;
  std::vector<WhenLost> watchers_;
  std::string violation_;
};

}  // namespace meridian::nats
