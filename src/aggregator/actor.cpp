#include "aggregator/actor.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <utility>
#include <variant>

namespace meridian {

namespace {

// How much the actor does before it lets others on its thread have their turn, and looks at the
// other lane. A batch takes some microseconds.
constexpr std::size_t batches_per_turn = 32;
constexpr std::size_t requests_per_turn = 16;

// What one step of a drain looks at: some hundred microseconds' work.
constexpr std::size_t batches_per_drain_step = 2048;

}  // namespace

Actor::Actor(const AggregatorOptions& options, Receiver<FrameBatch> data,
             Receiver<request::Request> control, std::shared_ptr<Doorbell> bell)
    : data_(std::move(data)),
      control_(std::move(control)),
      bell_(std::move(bell)),
      accounts_(options.max_tracked),
      buffer_(options.buffer, [this](DropReason reason, const FrameBatch& batch) {
        accounts_.dropped(reason, batch);
      }) {}

asio::awaitable<void> Actor::run() {
  const auto executor = co_await asio::this_coro::executor;
  while (!ended_) {
    bool more = serve_requests();
    more |= take_batches(batches_per_turn);
    if (more) {
      co_await asio::post(executor, asio::use_awaitable);
    } else if (!ended_) {
      co_await bell_->wait();
    }
  }
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
      accounts_.caught_up();
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
  arrivals_.batch_frames.add(next->frames());
  return *std::move(next);
}

void Actor::accept(FrameBatch batch) {
  const auto lent =
      batches_taken_ <= pass_until_ ? FrameBuffer::Lent::ignored : FrameBuffer::Lent::counts;
  // In parts, where some of its frames are larger than the whole buffer.
  for (;;) {
    const std::uint32_t admitted = buffer_.admits(batch, lent);
    if (admitted == batch.frames()) {
      note_latency(batch);
      count(batch);
      buffer_.add(std::move(batch));
      return;
    }
    if (admitted == 0) {
      held_ = std::move(batch);
      return;
    }
    FrameBatch part = batch.split_front(admitted);
    count(part);
    buffer_.add(std::move(part));
  }
}

void Actor::count(const FrameBatch& batch) {
  accounts_.received(batch);
  tails_.offer(batch);
}

void Actor::note_latency(const FrameBatch& batch) {
  const auto on_its_way = std::chrono::floor<std::chrono::microseconds>(
      std::chrono::system_clock::now() - batch.stamp().received_at);
  // Clocks that are set back make negative times.
  arrivals_.latency_us.add(
      static_cast<std::uint64_t>(std::max<std::int64_t>(on_its_way.count(), 0)));
}

void Actor::note_channel_peak() noexcept {
  channel_peak_ = std::max(channel_peak_, data_.level().length);
}

void Actor::answer(request::GetDepth& request) {
  std::move(request.reply).send(buffer_.depth());
}

AggregatorStats Actor::stats() const {
  return {.ledger = accounts_.ledger(buffer_.depth().frames),
          .buffer = buffer_.level(),
          .channel = data_.level(),
          .origins = accounts_.origins().totals(),
          .arrivals = arrivals_,
          .tails = tails_.counts()};
}

void Actor::answer(request::GetStats& request) {
  std::move(request.reply).send(stats());
}

void Actor::answer(request::TakeDropReport& request) {
  std::move(request.reply).send(accounts_.take_drop_report());
}

void Actor::answer(request::TakePeaks& request) {
  note_channel_peak();
  std::move(request.reply)
      .send({.buffer = buffer_.take_peak(), .channel = std::exchange(channel_peak_, 0)});
}

void Actor::answer(request::Restore& request) {
  accounts_.restore(request.saved);
  buffer_.restore(std::move(request.saved.frames));
  std::move(request.reply).send(stats());
}

void Actor::answer(request::SetLimits& request) {
  buffer_.set_limits(request.limits);
  accounts_.set_max_tracked(request.max_tracked);
  std::move(request.reply).send({});
}

void Actor::answer(request::ReleaseBackpressure& request) {
  buffer_.release_backpressure();
  std::move(request.reply).send({});
}

void Actor::answer(request::ShutDown& request) {
  buffer_.release_backpressure();
  data_.close();
  while (take_batches(data_.level().capacity)) {
  }
  ended_ = true;
  FinalState last{.stats = stats(), .saved = {}};
  last.saved.ledger = last.stats.ledger;
  last.saved.origins = accounts_.origins().all();
  for (auto& [place, batch] : buffer_.take_all()) {
    last.saved.frames.push_back(std::move(batch));
  }
  std::move(request.reply).send(std::move(last));
}

void Actor::answer(request::Drain& request) {
  request::DrainProgress& progress = request.progress;
  if (!progress.last_batch) {
    progress.last_batch = batches_taken_ + (held_ ? data_.level().length : 0);
    // It is to see the frames of these, for which it makes room only once it is settled.
    if (request.query.lend && buffer_.within_limits()) {
      pass_until_ = std::max(pass_until_, *progress.last_batch);
    }
  }
  const bool seen_all =
      batches_taken_ > *progress.last_batch || (batches_taken_ == *progress.last_batch && !held_);
  if (!progress.until_place && seen_all) {
    progress.until_place = buffer_.end_place();
  }

  FrameBuffer::Taken taken = buffer_.take(
      {.max_frames = request.query.max_frames,
       .satellite_id = request.query.satellite_id,
       .from_place = progress.from_place,
       .until_place = progress.until_place.value_or(std::numeric_limits<std::uint64_t>::max()),
       .max_batches = batches_per_drain_step,
       .lend = request.query.lend});
  accounts_.drained(taken.amount.frames);
  progress.from_place = taken.next_place;
  take_batches(data_.level().capacity);  // into the room that was made

  const bool nothing_will_come = progress.until_place || taken.amount.frames == 0;
  request::DrainReply reply{.batches = std::move(taken.batches),
                            .taken = taken.amount,
                            .remaining = buffer_.depth().frames,
                            .progress = progress,
                            .finished = taken.amount.frames == request.query.max_frames ||
                                        (taken.reached_end && nothing_will_come)};
  if (auto undelivered = std::move(request.reply).send(std::move(reply))) {
    accounts_.put_back(undelivered->taken.frames);
    buffer_.put_back(std::move(undelivered->batches), request.query.lend);
  }
}

void Actor::answer(request::PutBack& request) {
  std::uint64_t frames = 0;
  for (const BufferedBatch& buffered : request.batches) {
    frames += buffered.batch.frames();
  }
  accounts_.put_back(frames);
  buffer_.put_back(std::move(request.batches), request.lent);
  std::move(request.reply).send({});
}

void Actor::answer(request::Settle& request) {
  buffer_.settle(request.taken);
  std::move(request.reply).send({});
}

void Actor::answer(request::Flush& request) {
  request::FlushReply reply;
  reply.discarded = buffer_.depth().frames;
  reply.entries = buffer_.take_all();
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
      note_latency(batch);
      count(batch);
      reply.discarded += batch.frames();
    }
  }
  accounts_.flushed(reply.discarded);
  std::move(request.reply).send(std::move(reply));
}

void Actor::answer(request::GetOrigins& request) {
  std::move(request.reply).send(accounts_.origins().page(request.from, request.count));
}

void Actor::answer(request::SumOrigins& request) {
  std::move(request.reply).send(accounts_.origins().sum(request.from, request.count));
}

void Actor::answer(request::GiveUp& request) {
  accounts_.given_up(request.batch, held_ ? Accounts::Turn::later : Accounts::Turn::now);
  std::move(request.reply).send({});
}

void Actor::answer(request::BeginTail& request) {
  if (const auto undelivered = std::move(request.reply).send(tails_.add(request.query))) {
    tails_.remove(*undelivered);
  }
}

void Actor::answer(request::NextOfTail& request) {
  tails_.next(request.id, std::move(request.reply));
}

void Actor::answer(request::EndTail& request) {
  tails_.remove(request.id);
  std::move(request.reply).send({});
}

}  // namespace meridian
