#include "nats/session_inbox.hpp"

#include <fmt/format.h>

#include <utility>

namespace meridian::nats {

void SessionInbox::lose(Rejection why) {
  std::deque<Job> undone;
  const std::lock_guard lock(mutex_);
  undone = set_lost(std::move(why));
}

std::deque<SessionInbox::Job> SessionInbox::set_lost(Rejection why) {
  if (!lost_) {
    lost_ = std::move(why);
    changed_.notify_all();
  }
  return std::exchange(jobs_, {});
}

std::optional<Rejection> SessionInbox::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

void SessionInbox::ask(Job job) {
  const std::lock_guard lock(mutex_);
  if (!lost_) {
    jobs_.push_back(std::move(job));
    changed_.notify_all();
  }
}

bool SessionInbox::notify(WhenLost when_lost) {
  const std::lock_guard lock(mutex_);
  if (!lost_) {
    watchers_.push_back(std::move(when_lost));
  }
  return !lost_;
}

std::optional<SessionInbox::Job> SessionInbox::next(const std::stop_token& stop) {
  std::deque<Job> undone;
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop, [this] { return lost_ || !jobs_.empty(); });
  if (stop.stop_requested()) {
    undone = set_lost({Refusal::unreachable, "the connection was closed"});
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

std::string SessionInbox::violation_about(std::string_view subject) const {
  const std::lock_guard lock(mutex_);
  return violation_explains(subject) ? violation_ : std::string();
}

void SessionInbox::forget_violation_about(std::string_view subject) {
  const std::lock_guard lock(mutex_);
  if (violation_explains(subject)) {
    violation_.clear();
  }
}

bool SessionInbox::violation_explains(std::string_view subject) const {
  if (violation_.empty()) {
    return false;  // the usual case, and this is called for each acknowledged message
  }
  return violation_.find(fmt::format("\"{}\"", subject)) != std::string::npos ||
         violation_.find("Subscription to \"_INBOX.") != std::string::npos;
}

}  // namespace meridian::nats
