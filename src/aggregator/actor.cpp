#include "aggregator/actor.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <limits>
#include <new>
#include <utility>
#include <variant>

namespace meridian::inline v1 {

namespace {

// How much the actor does before it lets others on its thread have their turn, and looks at the
// other lane. A batch takes some microseconds.
constexpr std::size_t batches_per_turn = 32;
constexpr std::size_t requests_per_turn = 16;

// What one step of a drain looks at: some hundred microseconds' work.
constexpr std::size_t batches_per_drain_step = 2048;

FrameBuffer::Room room_of(bool lent) noexcept {
  return lent ? FrameBuffer::Room::lent : FrameBuffer::Room::free;
}

}  // namespace

Actor::Actor(const AggregatorOptions& options, const asio::any_io_executor& strand,
             Receiver<FrameBatch> data, Receiver<request::Request> control,
             std::shared_ptr<Doorbell> bell)
    : data_(std::move(data)),
      control_(std::move(control)),
      bell_(std::move(bell)),
      holdings_(options),
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
bool Actor::attempt(Function&& function) {
  try {
    return function();
  } catch (...) {
    if (!fault_) {
      fault_ = std::current_exception();
    }
    return false;
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
  // Each by itself: where one fails every time, a request to shut down still gets its answer.
  bool more = attempt([this] {
    holdings_.expire_leases(Leases::Clock::now());
    // A request comes behind all that has ended before it, so that it sees those frames.
    return holdings_.put_back_some();
  });
  if (!more) {
    more = attempt([this] { return serve_requests(); });
  }
  more |= attempt([this] { return take_batches(batches_per_turn); });
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
      // Not the data lane's end: that may stand behind a batch that backpressure holds.
      ended_ = next.error() == Errc::channel_ended;
      return false;
    }
    // Read your writes: whatever was in the data lane when the request was sent comes first.
    take_batches(data_.level().capacity);
    std::visit([this](auto& request) { answer(request); }, *next);
    if (ended_) {
      return false;
    }
    // The answer may have made room.
    take_batches(data_.level().capacity);
    if (holdings_.has_more_to_put_back()) {
      return true;
    }
  }
  return true;
}

bool Actor::take_batches(std::size_t max_batches) {
  if (held_) {
    accept(*std::exchange(held_, std::nullopt));
  }
  for (std::size_t taken = 0; taken < max_batches; ++taken) {
    if (held_) {
      return false;
    }
    auto next = next_batch();
    if (!next) {
      holdings_.caught_up();
      return false;
    }
    accept(*std::move(next));
  }
  return true;
}

std::optional<FrameBatch> Actor::next_batch() {
  note_channel_peak();
  auto next = data_.try_receive();
  if (!next) {
    return std::nullopt;
  }
  ++batches_taken_;
  holdings_.arrived(*next);
  return *std::move(next);
}

void Actor::accept(FrameBatch batch) {
  const auto lent =
      batches_taken_ <= pass_until_ ? FrameBuffer::Lent::ignored : FrameBuffer::Lent::counts;
  held_ = holdings_.accept(std::move(batch), lent);
}

void Actor::note_channel_peak() noexcept {
  channel_peak_ = std::max(channel_peak_, data_.level().length);
}

void Actor::answer(request::GetDepth& request) {
  std::move(request.reply).send(holdings_.buffer().depth());
}

void Actor::answer(request::GetStats& request) {
  std::move(request.reply).send(holdings_.stats(data_.level()));
}

void Actor::answer(request::TakeDropReport& request) {
  std::move(request.reply).send(holdings_.take_drop_report());
}

void Actor::answer(request::TakePeaks& request) {
  note_channel_peak();
  std::move(request.reply)
      .send({.buffer = holdings_.take_peak(), .channel = std::exchange(channel_peak_, 0)});
}

void Actor::answer(request::Restore& request) {
  holdings_.restore(std::move(request.saved));
  std::move(request.reply).send(holdings_.stats(data_.level()));
}

void Actor::answer(request::SetLimits& request) {
  holdings_.set_limits(request.limits, request.max_tracked);
  std::move(request.reply).send({});
}

void Actor::answer(request::ReleaseBackpressure& request) {
  holdings_.release_backpressure();
  std::move(request.reply).send({});
}

void Actor::answer(request::ShutDown& request) {
  holdings_.release_backpressure();
  data_.close();
  // A batch that fails is gone: the others follow.
  bool more = true;
  for (std::size_t tries = 0; more && tries <= data_.level().capacity; ++tries) {
    attempt([&] {
      while (more) {
        more = take_batches(data_.level().capacity);
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
    last = holdings_.close(data_.level());
    return true;
  });
  return last ? *std::move(last) : holdings_.rescue(data_.level());
}

request::DrainReply Actor::take(const DrainQuery& query, FrameBuffer::Room room,
                                request::DrainProgress progress) {
  if (!progress.last_batch) {
    progress.last_batch = batches_taken_ + (held_ ? data_.level().length : 0);
    // It is to see the frames of these, for which it makes room only once it is settled.
    if (room != FrameBuffer::Room::free && holdings_.buffer().within_limits()) {
      pass_until_ = std::max(pass_until_, *progress.last_batch);
    }
  }
  const bool seen_all =
      batches_taken_ > *progress.last_batch || (batches_taken_ == *progress.last_batch && !held_);
  if (!progress.until_place && seen_all) {
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
  take_batches(data_.level().capacity);  // into the room that was made

  const bool nothing_will_come = progress.until_place || taken.amount.frames == 0;
  return {.batches = std::move(taken.batches),
          .taken = taken.amount,
          .remaining = holdings_.buffer().depth().frames,
          .progress = progress,
          .finished =
              taken.amount.frames == query.max_frames || (taken.reached_end && nothing_will_come)};
}

void Actor::answer(request::Drain& request) {
  const FrameBuffer::Room room = room_of(request.query.lend);
  request::DrainReply reply = take(request.query, room, request.progress);
  if (auto undelivered = std::move(request.reply).send(std::move(reply))) {
    holdings_.put_back(std::move(undelivered->batches), room);
  }
}

void Actor::answer(request::Lease& request) {
  const DrainQuery query{.max_frames = request.query.max_frames,
                         .satellite_id = request.query.satellite_id};
  request::DrainReply step = take(query, FrameBuffer::Room::leased, request.progress);
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
  for (const auto& [places, bytes] : request.batches) {
    holdings_.settle(places, bytes);
  }
  std::move(request.reply).send({});
}

void Actor::answer(request::Flush& request) {
  request::FlushReply reply;
  reply.discarded = holdings_.buffer().depth().frames;
  reply.entries = holdings_.flush();
  if (held_) {
    // What backpressure left in the channel goes too, without passing through the buffer: as many
    // batches as were there, and none that come later.
    const std::size_t waiting = data_.level().length;
    reply.batches.push_back(*std::exchange(held_, std::nullopt));
    while (reply.batches.size() <= waiting) {
      auto next = next_batch();
      if (!next) {
        break;
      }
      reply.batches.push_back(*std::move(next));
    }
    for (const FrameBatch& batch : reply.batches) {
      holdings_.flush(batch);
      reply.discarded += batch.frames();
    }
  }
  std::move(request.reply).send(std::move(reply));
}

void Actor::answer(request::GetOrigins& request) {
  std::move(request.reply).send(holdings_.origins().page(request.from, request.count));
}

void Actor::answer(request::SumOrigins& request) {
  std::move(request.reply).send(holdings_.origins().sum(request.from, request.count));
}

void Actor::answer(request::GiveUp& request) {
  holdings_.given_up(request.batch, held_ ? Accounts::Turn::later : Accounts::Turn::now);
  std::move(request.reply).send({});
}

void Actor::answer(request::Consume& request) {
  std::move(request.reply)
      .send({.id = holdings_.find_consumer(request.name), .epoch = holdings_.epoch()});
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

}  // namespace meridian::inline v1
