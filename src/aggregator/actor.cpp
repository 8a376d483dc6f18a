#include "aggregator/actor.hpp"

#include "aggregator/amounts.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <iterator>
#include <limits>
#include <new>
#include <utility>
#include <variant>

namespace meridian::inline v2::aggregator {

namespace {

// How much the actor does before it gives way to others on its thread, and looks at the other lane.
// A batch takes some microseconds.
constexpr std::size_t batches_per_turn = 32;
constexpr std::size_t requests_per_turn = 16;

// The most batches that one step of a drain looks at: a few hundred microseconds' work.
constexpr std::size_t batches_per_drain_step = 2048;

FrameBuffer::KeptRoom room_of(bool lent) noexcept {
  return lent ? FrameBuffer::KeptRoom::lent : FrameBuffer::KeptRoom::none;
}

}  // namespace

Actor::Actor(const AggregatorOptions& options, const asio::any_io_executor& strand,
             Receiver<FrameBatch> data, Receiver<request::Request> control,
             std::shared_ptr<Doorbell> bell, std::shared_ptr<HoldsSenders> holds_senders)
    : control_(std::move(control)),
      bell_(std::move(bell)),
      holdings_(options),
      intake_(std::move(data), holdings_, std::move(holds_senders)),
      expiry_timer_(strand) {}

asio::awaitable<void> Actor::run() {
  const auto executor = co_await asio::this_coro::executor;
  while (!ended_) {
    const bool more = turn();
    report_fault();
    if (more) {
      co_await asio::post(executor, asio::use_awaitable);
    } else if (!ended_) {
      watch_expiry();
      co_await bell_->wait();
    }
  }
}

template <typename Function>
bool Actor::attempt(Function&& function, bool where_it_throws) {
  try {
    return function();
  } catch (...) {
    if (!fault_) {
      fault_ = std::current_exception();
    }
    return where_it_throws;
  }
}

void Actor::report_fault() noexcept {
  if (!fault_) {
    return;
  }
  try {
    asio::post(expiry_timer_.get_executor(), [error = fault_] { std::rethrow_exception(error); });
    fault_ = nullptr;
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): next time, then
  }
}

bool Actor::turn() {
  // Each step on its own: if one fails every time, a request to shut down is still answered.
  bool more = attempt([this] {
    holdings_.expire_leases(Leases::Clock::now());
    // Leases that have ended come before requests, which therefore see the frames of those leases.
    return holdings_.put_back_some();
  });
  if (!more) {
    // A request or batch that fails is gone, and there may be more after it.
    more = attempt([this] { return serve_requests(); }, true);
  }
  more |= attempt([this] { return intake_.take_in(batches_per_turn); }, true);
  attempt([this] {
    holdings_.serve_consumers();
    return true;
  });
  return more;
}

bool Actor::serve_requests() {
  for (std::size_t served = 0; served < requests_per_turn; ++served) {
    auto next = control_.try_receive();
    if (!next) {
      // The data lane does not decide: backpressure may hold a batch before its end.
      ended_ = next.error() == Errc::channel_ended;
      return false;
    }
    // Read your writes: what was in the data lane when the request was sent comes first.
    intake_.take_in_all();
    std::visit([this](auto& request) { answer(request); }, *next);
    if (ended_) {
      return false;
    }
    // The answer may have made room.
    intake_.take_in_all();
    if (holdings_.has_more_to_put_back()) {
      return true;
    }
  }
  return true;
}

void Actor::answer(request::GetDepth& request) {
  std::move(request.reply).send(holdings_.buffer().depth());
}

void Actor::answer(request::GetStats& request) {
  AggregatorStats stats = holdings_.stats(intake_.level());
  stats.holds_batches = intake_.is_held();
  std::move(request.reply).send(std::move(stats));
}

void Actor::answer(request::TakeDropReport& request) {
  std::move(request.reply).send(holdings_.take_drop_report());
}

void Actor::answer(request::TakePeaks& request) {
  std::move(request.reply).send({.buffer = holdings_.take_peak(), .channel = intake_.take_peak()});
}

void Actor::answer(request::Restore& request) {
  holdings_.restore(std::move(request.saved));
  std::move(request.reply).send(holdings_.stats(intake_.level()));
}

void Actor::answer(request::SetLimits& request) {
  holdings_.set_limits(request.limits, request.max_tracked, request.reset_after);
  std::move(request.reply).send({});
}

void Actor::answer(request::ReleaseBackpressure& request) {
  holdings_.release_backpressure();
  std::move(request.reply).send({});
}

void Actor::answer(request::ShutDown& request) {
  holdings_.release_backpressure();
  intake_.close();
  // A batch that fails is gone; the others are still taken in.
  bool more = true;
  for (std::size_t tries = 0; more && tries <= intake_.level().capacity; ++tries) {
    attempt([&] {
      while (more) {
        more = intake_.take_in_all();
      }
      return true;
    });
  }
  ended_ = true;
  std::move(request.reply).send(close());
}

FinalState Actor::close() {
  std::optional<FinalState> last;
  attempt([&] {
    last = holdings_.close(intake_.level());
    return true;
  });
  return last ? *std::move(last) : holdings_.rescue(intake_.level());
}

bool Actor::may_go_past(const DrainQuery& query, FrameBuffer::KeptRoom room) const {
  // Frames of other satellites must not be in the way, and without kept room nothing comes back.
  if (query.satellite_id || room == FrameBuffer::KeptRoom::none) {
    return true;
  }
  // Each drain that passes frames and puts them back would add to an excess. Leased frames count
  // against the limits, which may allow less than the channel holds.
  return room == FrameBuffer::KeptRoom::lent && holdings_.buffer().within_limits();
}

request::DrainReply Actor::take(const DrainQuery& query, FrameBuffer::KeptRoom room,
                                request::DrainProgress progress) {
  if (!progress.last_batch) {
    progress.last_batch = intake_.last_sent();
    progress.goes_past = may_go_past(query, room);
  }
  if (!progress.until_place && intake_.is_through(*progress.last_batch)) {
    progress.until_place = holdings_.buffer().end_place();
  }

  FrameBuffer::Taken taken = holdings_.take(
      {.max_frames = query.max_frames,
       .satellite_id = query.satellite_id,
       .from_place = progress.from_place,
       .until_place = progress.until_place.value_or(std::numeric_limits<std::uint64_t>::max()),
       .max_batches = batches_per_drain_step,
       .room = room});
  progress.from_place = taken.next_place;
  request::DrainReply reply{.batches = std::move(taken.batches),
                            .taken = taken.amount,
                            .remaining = 0,
                            .progress = progress,
                            .finished = false,
                            .settled = false};
  bool nothing_will_come = progress.until_place || taken.amount.frames == 0;
  if (progress.goes_past && !progress.until_place && taken.reached_end) {
    nothing_will_come = take_past(query, room, reply);
  }
  intake_.take_in_all();  // into the room that was made
  reply.remaining = holdings_.buffer().depth().frames;
  reply.finished =
      reply.taken.frames == query.max_frames || (taken.reached_end && nothing_will_come);
  return reply;
}

bool Actor::take_past(const DrainQuery& query, FrameBuffer::KeptRoom room,
                      request::DrainReply& reply) {
  Intake::Passed passed = intake_.pass({.max_frames = query.max_frames - reply.taken.frames,
                                        .satellite_id = query.satellite_id,
                                        .from_number = reply.progress.from_batch,
                                        .until_number = *reply.progress.last_batch,
                                        .room = room});
  std::ranges::move(passed.batches, std::back_inserter(reply.batches));
  add_to(reply.taken, passed.amount);
  reply.progress.from_batch = passed.next_number;
  return passed.reached_end;
}

void Actor::answer(request::Drain& request) {
  const FrameBuffer::KeptRoom room = room_of(request.lend);
  const bool is_first = !request.progress.last_batch;
  request::DrainReply reply = take(request.query, room, request.progress);
  reply.settled = is_first && reply.finished && !request.lend;
  std::vector<request::SettledBatch> settled;
  if (reply.settled) {
    settled = request::places_of(reply.batches);
  }
  if (auto undelivered = std::move(request.reply).send(std::move(reply))) {
    holdings_.put_back(std::move(undelivered->batches), room);
  } else {
    settle(settled, room);
  }
}

void Actor::settle(const std::vector<request::SettledBatch>& batches, FrameBuffer::KeptRoom room) {
  for (const auto& [places, bytes] : batches) {
    holdings_.settle(places, bytes, room);
  }
}

void Actor::answer(request::Lease& request) {
  const DrainQuery query{.max_frames = request.query.max_frames,
                         .satellite_id = request.query.satellite_id};
  request::DrainReply step = take(query, FrameBuffer::KeptRoom::leased, request.progress);
  request::LeaseReply reply{.id = holdings_.lease(request.id, step.batches, step.taken),
                            .step = std::move(step)};
  if (reply.id && reply.step.finished) {
    holdings_.start_lease(*reply.id, Leases::Clock::now() + request.query.duration);
  }
  const auto undelivered = std::move(request.reply).send(std::move(reply));
  if (undelivered && undelivered->id) {
    holdings_.withdraw_lease(*undelivered->id);
  }
}

void Actor::answer(request::EndLease& request) {
  holdings_.expire_leases(Leases::Clock::now());
  const auto amount = holdings_.end_lease(request.id, request.how);
  if (amount) {
    std::move(request.reply).send({.amount = *amount, .ec = {}});
  } else {
    std::move(request.reply).send({.amount = {}, .ec = amount.error()});
  }
}

void Actor::answer(request::WithdrawLease& request) {
  holdings_.withdraw_lease(request.id);
  std::move(request.reply).send({});
}

void Actor::watch_expiry() {
  const auto next = holdings_.next_expiry();
  if (!next || next == watched_expiry_) {
    return;
  }
  watched_expiry_ = next;
  expiry_timer_.expires_at(*next);
  expiry_timer_.async_wait([bell = bell_](const error_code&) { bell->ring(); });
}

void Actor::answer(request::PutBack& request) {
  holdings_.put_back(std::move(request.batches), room_of(request.lent));
  std::move(request.reply).send({});
}

void Actor::answer(request::Settle& request) {
  settle(request.batches, room_of(request.lent));
  std::move(request.reply).send({});
}

void Actor::answer(request::Flush& request) {
  request::FlushReply reply;
  reply.discarded = holdings_.buffer().depth().frames;
  reply.entries = holdings_.flush();
  // What backpressure left in the channel goes too, without passing through the buffer.
  reply.batches = intake_.take_held();
  for (const FrameBatch& batch : reply.batches) {
    holdings_.flush(batch);
    reply.discarded += batch.frames();
  }
  std::move(request.reply).send(std::move(reply));
}

void Actor::answer(request::GetOrigins& request) {
  std::move(request.reply).send(holdings_.origins().page(request.from, request.count));
}

void Actor::answer(request::SumOrigins& request) {
  std::move(request.reply).send(holdings_.origins().sum(request.from, request.count));
}

void Actor::answer(request::ForgetOrigins& request) {
  std::move(request.reply)
      .send(
          holdings_.forget(request.satellite_id, request.channel_id, request.from, request.count));
}

void Actor::answer(request::AgeOrigins& request) {
  std::move(request.reply).send(holdings_.age(request.aging, request.from, request.count));
}

void Actor::answer(request::GiveUp& request) {
  holdings_.given_up(request.batch,
                     intake_.is_held() ? Accounts::Judge::later : Accounts::Judge::now);
  std::move(request.reply).send({});
}

void Actor::answer(request::AwaitOpen& request) {
  intake_.tell_when_open(std::move(request.reply));
}

void Actor::answer(request::Consume& request) {
  const auto id = holdings_.claim_consumer(request.name, std::move(request.claim));
  if (id) {
    std::move(request.reply).send({.id = *id, .epoch = holdings_.epoch(), .ec = {}});
  } else {
    std::move(request.reply).send({.id = {}, .epoch = {}, .ec = id.error()});
  }
}

void Actor::answer(request::ReadNext& request) {
  holdings_.read_next(request.id, request.max_bytes, std::move(request.reply));
}

void Actor::answer(request::Acknowledge& request) {
  for (const PlaceRange& range : request.batches) {
    holdings_.acknowledge(request.id, range);
  }
  std::move(request.reply).send({});
}

void Actor::answer(request::Suspend& request) {
  holdings_.suspend(request.id, std::move(request.attempts));
  std::move(request.reply).send({});
}

void Actor::answer(request::Resume& request) {
  std::move(request.reply).send(holdings_.resume(request.id));
}

void Actor::answer(request::BeginTail& request) {
  if (const auto undelivered =
          std::move(request.reply).send(holdings_.tails().add(request.query))) {
    holdings_.tails().remove(*undelivered);
  }
}

void Actor::answer(request::NextOfTail& request) {
  holdings_.tails().next(request.id, std::move(request.reply));
}

void Actor::answer(request::EndTail& request) {
  holdings_.tails().remove(request.id);
  std::move(request.reply).send({});
}

}  // namespace meridian::inline v2::aggregator
