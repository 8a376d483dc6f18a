#include "sink/schedule.hpp"

#include <stdexcept>

namespace meridian::sink {

Schedule::State Schedule::state_of(const Origin& origin) const {
  const auto found = states_.find(origin);
  return found == states_.end() ? State::idle : found->second;
}

void Schedule::change(const Origin& origin, State from, State to) {
  if (state_of(origin) != from) {
    throw std::logic_error("an origin of an outbox is not in the state that a change begins with");
  }
  if (to == State::idle) {
    states_.erase(origin);
  } else {
    states_.insert_or_assign(origin, to);
  }
}

void Schedule::make_ready(const Origin& origin) {
  ready_.push_back(origin);  // first, so that `keep_ready` undoes the change as well
  change(origin, State::idle, State::ready);
}

void Schedule::keep_ready(std::size_t count) noexcept {
  while (ready_.size() > count) {
    states_.erase(ready_.back());
    ready_.pop_back();
  }
}

void Schedule::make_first_refused_ready() {
  const Origin origin = refused_.begin()->second;
  ready_.push_back(origin);
  change(origin, State::refused, State::ready);
  refused_.erase(refused_.begin());
}

std::optional<Origin> Schedule::front(Clock::time_point now) {
  while (!refused_.empty() && refused_.begin()->first <= now) {
    make_first_refused_ready();
  }
  if (ready_.empty()) {
    return std::nullopt;
  }
  return ready_.front();
}

Ticket Schedule::send_front() {
  if (ready_.empty()) {
    throw std::logic_error("no origin of an outbox has anything to send");
  }
  const Origin origin = ready_.front();
  in_flight_.emplace(++last_ticket_, origin);
  change(origin, State::ready, State::in_flight);
  ready_.pop_front();
  return last_ticket_;
}

void Schedule::settle(Ticket ticket) {
  change(origin_of(ticket), State::in_flight, State::idle);
  in_flight_.erase(ticket);
}

void Schedule::settle_with_more(Ticket ticket) {
  const Origin origin = origin_of(ticket);
  ready_.push_back(origin);
  change(origin, State::in_flight, State::ready);
  in_flight_.erase(ticket);
}

void Schedule::refuse(Ticket ticket, Clock::time_point retry_at) {
  const Origin origin = origin_of(ticket);
  refused_.emplace(retry_at, origin);
  change(origin, State::in_flight, State::refused);
  in_flight_.erase(ticket);
}

void Schedule::retry_now() {
  while (!refused_.empty()) {
    make_first_refused_ready();
  }
}

std::optional<Schedule::Clock::time_point> Schedule::next_retry() const {
  if (refused_.empty()) {
    return std::nullopt;
  }
  return refused_.begin()->first;
}

}  // namespace meridian::sink
