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
#include <string_view>
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
  /// done, and destroyed, if the session is lost before.
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
  /// That word, where it explains why nothing comes of what was sent to `subject`: it is about
  /// that, or about the subscription by which answers come. "" otherwise.
  [[nodiscard]] std::string violation_about(std::string_view subject) const;
  /// Something sent to `subject` was answered, so the word no longer holds: permissions can change
  /// while a connection stands, and a later silence has another reason.
  void forget_violation_about(std::string_view subject);

 private:
  /// With `mutex_` held.
  [[nodiscard]] bool violation_explains(std::string_view subject) const;
  /// With `mutex_` held. Returns the jobs that are not done, to be destroyed without it.
  [[nodiscard]] std::deque<Job> set_lost(Rejection why);

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  // Protected by mutex_.
  std::optional<Rejection> lost_;
  std::deque<Job> jobs_;
  std::vector<WhenLost> watchers_;
  std::string violation_;
};

}  // namespace meridian::sink
