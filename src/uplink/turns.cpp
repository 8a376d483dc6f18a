#include "uplink/turns.hpp"

namespace meridian::uplink {

Turns::Turn::~Turn() {
  if (turns_) {
    turns_->release(is_held_);
  }
}

void Turns::Turn::hold() {
  is_held_ = true;
  turns_->hold();
}

std::optional<Turns::Turn> Turns::try_take() {
  const std::lock_guard lock(mutex_);
  if (free_ == 0) {
    return std::nullopt;
  }
  --free_;
  return taken();
}

void Turns::enqueue(std::unique_ptr<Waiter> waiter) {
  {
    const std::lock_guard lock(mutex_);
    if (free_ == 0) {
      waiter->record->set_held(held_ > 0);
      waiting_.push_back(std::move(waiter));
      return;
    }
    --free_;
  }
  waiter->wake();
}

void Turns::hold() {
  const std::lock_guard lock(mutex_);
  ++held_;
  // The waiters ahead of a marked one are marked already.
  for (auto waiter = waiting_.rbegin(); waiter != waiting_.rend() && !(*waiter)->record->held();
       ++waiter) {
    (*waiter)->record->set_held(true);
  }
}

void Turns::release(bool was_held) {
  std::unique_ptr<Waiter> next;
  {
    const std::lock_guard lock(mutex_);
    held_ -= was_held ? 1 : 0;
    if (waiting_.empty()) {
      ++free_;
      return;
    }
    next = std::move(waiting_.front());
    waiting_.pop_front();
  }
  next->record->set_held(false);
  if (!context_.ended()) {
    next->wake();
  }
}

}  // namespace meridian::uplink
