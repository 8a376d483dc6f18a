#include "sink/session_inbox.hpp"

#include <utility>

namespace meridian::sink {

void SessionInbox::lose(Rejection why) {
  const std::lock_guard lock(mutex_);
  if (!lost_) {
    lost_ = std::move(why);
    changed_.notify_all();
  }
}

std::optional<Rejection> SessionInbox::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

void SessionInbox::ask(Job job) {
  const std::lock_guard lock(mutex_);
  jobs_.push_back(std::move(job));
  changed_.notify_all();
}

bool SessionInbox::notify(WhenLost when_lost) {
  const std::lock_guard lock(mutex_);
  if (!lost_) {
    watchers_.push_back(std::move(when_lost));
  }
  return !lost_;
}

std::optional<SessionInbox::Job> SessionInbox::next(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop, [this] { return lost_ || !jobs_.empty(); });
  if (stop.stop_requested() && !lost_) {
    lost_ = Rejection{Refusal::unreachable, "the connection was closed"};
  }
  if (lost_) {
    return std::nullopt;
  }
  Job job = std::move(jobs_.front());
  jobs_.pop_front();
  return job;
}

std::vector<SessionInbox::WhenLost> SessionInbox::take_watchers() {
  const std::lock_guard lock(mutex_);
  return std::exchange(watchers_, {});
}

void SessionInbox::set_violation(std::string text) {
  const std::lock_guard lock(mutex_);
  violation_ = std::move(text);
}

std::string SessionInbox::violation() const {
  const std::lock_guard lock(mutex_);
  return violation_;
}

}  // namespace meridian::sink
