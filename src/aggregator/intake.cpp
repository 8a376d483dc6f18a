#include "aggregator/intake.hpp"

#include "aggregator/amounts.hpp"
#include "aggregator/batch_parts.hpp"

#include <algorithm>
#include <utility>

namespace meridian::inline v2::aggregator {

namespace {

/// A step past the buffer ends when it has looked through this many octets: a millisecond's work.
constexpr std::size_t max_bytes_in_step = 4 * 1024 * 1024;

}  // namespace

bool Intake::take_in(std::size_t max_batches) {
  const bool more = take_in_waiting() && take_in_new(max_batches);
  hold_or_let_go();
  return more;
}

bool Intake::take_in_waiting() {
  while (is_held()) {
    auto oldest = waiting_.extract(waiting_.begin());
    if (!accept(oldest.key(), std::move(oldest.mapped()))) {
      return false;
    }
  }
  return true;
}

bool Intake::take_in_new(std::size_t max_batches) {
  for (std::size_t taken = 0; taken < max_batches; ++taken) {
    auto next = receive();
    if (!next) {
      holdings_.caught_up();
      return false;
    }
    if (!accept(taken_, *std::move(next))) {
      return false;
    }
  }
  return true;
}

std::optional<FrameBatch> Intake::receive() {
  note_peak();
  auto next = data_.try_receive();
  if (!next) {
    return std::nullopt;
  }
  ++taken_;
  holdings_.arrived(*next);
  return *std::move(next);
}

bool Intake::accept(std::uint64_t number, FrameBatch batch) {
  auto rest = holdings_.accept(std::move(batch));
  if (!rest) {
    return true;
  }
  waiting_.emplace(number, *std::move(rest));
  return false;
}

void Intake::fetch_until(std::uint64_t number) {
  if (taken_ >= number) {
    return;
  }
  holds_senders_->store(true, std::memory_order_release);
  while (taken_ < number) {
    auto next = receive();
    if (!next) {
      return;
    }
    waiting_.emplace(taken_, *std::move(next));
  }
}

Intake::Waiting::iterator Intake::look_at(std::uint64_t number, std::uint64_t until_number) {
  auto at = waiting_.lower_bound(number);
  if (at == waiting_.end()) {
    // One at a time: each that is taken out of the channel leaves room for a sender.
    fetch_until(std::min(taken_ + 1, until_number));
    at = waiting_.lower_bound(number);
  }
  return at == waiting_.end() || at->first > until_number ? waiting_.end() : at;
}

Intake::Passed Intake::pass(const Past& step) {
  const auto order =
      step.satellite_id ? Accounts::Order::satellite_ahead : Accounts::Order::as_sent;
  Passed passed;
  passed.next_number = step.from_number;
  std::size_t looked_through = 0;
  while (passed.amount.frames < step.max_frames && looked_through < max_bytes_in_step &&
         !passed.reached_end) {
    const auto at = look_at(passed.next_number, step.until_number);
    if (at == waiting_.end()) {
      passed.reached_end = true;
      break;
    }
    looked_through += is_known(at->second, step.satellite_id) ? 0 : at->second.bytes();
    passed.next_number = at->first + 1;
    auto part = take_out(at, step, passed);
    if (part) {
      add_to(passed.amount, amount_of(*part));
      if (!waiting_.contains(passed.next_number - 1)) {
        holdings_.note_latency(*part);  // all of the batch is through
      }
      passed.batches.push_back(holdings_.pass(*std::move(part), step.room, order));
    }
  }
  return passed;
}

std::optional<FrameBatch> Intake::take_out(Waiting::iterator at, const Past& step, Passed& passed) {
  FrameBatch& batch = at->second;
  const Wanted wanted = wanted_of(batch, step.satellite_id);
  if (wanted == Wanted::none) {
    return std::nullopt;
  }
  std::uint64_t room = step.max_frames - passed.amount.frames;
  if (step.room == FrameBuffer::KeptRoom::leased) {
    const Amount left = holdings_.buffer().room_for_leases();
    const WantedFrames count = count_wanted(batch, step.satellite_id, left.frames, left.bytes);
    passed.reached_end = count.within < std::min(count.all, room);
    room = std::min(room, count.within);
    if (room == 0) {
      return std::nullopt;
    }
  }
  if (wanted == Wanted::some) {
    return sort_out(batch, *step.satellite_id, room);
  }
  if (batch.frames() > room) {
    return batch.split_front(static_cast<std::uint32_t>(room));
  }
  return std::move(waiting_.extract(at).mapped());
}

std::vector<FrameBatch> Intake::take_held() {
  std::vector<FrameBatch> held;
  if (!is_held()) {
    return held;
  }
  // Takes the batches that are in the channel now, and none that come later.
  fetch_until(last_sent());
  for (auto& [number, batch] : waiting_) {
    held.push_back(std::move(batch));
  }
  waiting_.clear();
  hold_or_let_go();
  return held;
}

void Intake::tell_when_open(OneshotSender<request::Done> reply) {
  if (!holds_senders_->load(std::memory_order_relaxed)) {
    std::move(reply).send({});
    return;
  }
  if (held_senders_.size() == held_senders_.capacity()) {
    std::erase_if(held_senders_, [](const auto& sender) { return sender.is_abandoned(); });
  }
  held_senders_.push_back(std::move(reply));
}

void Intake::hold_or_let_go() {
  const bool no_place =
      looked_at() > 0 && looked_at() + data_.level().length >= data_.level().capacity;
  const bool holds = no_place || holdings_.buffer().waits_for_its_limits();
  if (holds == holds_senders_->load(std::memory_order_relaxed)) {
    return;
  }
  holds_senders_->store(holds, std::memory_order_release);
  if (!holds) {
    for (OneshotSender<request::Done>& reply : std::exchange(held_senders_, {})) {
      std::move(reply).send({});
    }
  }
}

ChannelLevel Intake::level() const noexcept {
  ChannelLevel level = data_.level();
  level.length = std::min(level.capacity, level.length + looked_at());
  return level;
}

std::size_t Intake::take_peak() noexcept {
  note_peak();
  return std::exchange(peak_, 0);
}

}  // namespace meridian::inline v2::aggregator
