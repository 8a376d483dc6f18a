#include "aggregator/actor.hpp"

#include "aggregator/depth.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <limits>
#include <random>
#include <utility>
#include <variant>

namespace meridian {

namespace {

// How much the actor does before it lets others on its thread have their turn, and looks at the
// other lane. A batch takes some microseconds.
constexpr std::size_t batches_per_turn = 32;
constexpr std::size_t requests_per_turn = 16;

// What one step of a drain looks at, or puts back: some hundred microseconds' work.
constexpr std::size_t batches_per_drain_step = 2048;

FrameBuffer::Room room_of(bool lent) noexcept {
  return lent ? FrameBuffer::Room::lent : FrameBuffer::Room::free;
}

std::vector<BufferedBatch> share(const std::vector<BufferedBatch>& batches) {
  std::vector<BufferedBatch> shared;
  shared.reserve(batches.size());
  for (const BufferedBatch& buffered : batches) {
    shared.push_back({buffered.place, buffered.batch.share()});
  }
  return shared;
}

std::vector<PlaceRange> places_of(const std::vector<BufferedBatch>& batches) {
  std::vector<PlaceRange> places;
  places.reserve(batches.size());
  for (const BufferedBatch& buffered : batches) {
    places.push_back(buffered.places());
  }
  return places;
}

/// What comes out of a state without places begins at the first one.
void give_places(std::vector<BufferedBatch>& batches, std::optional<SavedPositions>& positions) {
  std::uint64_t next = 1;
  for (BufferedBatch& buffered : batches) {
    if (buffered.place < next) {
      // The positions, if there are any, are of other places than these.
      positions.reset();
      buffered.place = next;
    }
    next = buffered.places().end();
  }
}

/// Differs from those of all other aggregators.
std::uint64_t new_epoch() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

/// Of a lease whose frames somebody has had.
Leases::Lease mark_redelivered(Leases::Lease lease) {
  for (BufferedBatch& buffered : lease.batches) {
    buffered.batch.mark_redelivered();
  }
  return lease;
}

}  // namespace

Actor::Actor(const AggregatorOptions& options, const asio::any_io_executor& strand,
             Receiver<FrameBatch> data, Receiver<request::Request> control,
             std::shared_ptr<Doorbell> bell)
    : data_(std::move(data)),
      control_(std::move(control)),
      bell_(std::move(bell)),
      accounts_(options.max_tracked),
      buffer_(
          options.buffer,
          [this](DropReason reason, const FrameBatch& batch, std::uint64_t place) {
            accounts_.dropped(reason, batch);
            if (place == 0) {
              consumers_.refused(amount_of(batch));
            } else {
              consumers_.removed({place, batch.frames()}, batch.bytes(), Skip::buffer_full);
            }
          },
          [this] { return evict_lease(); }),
      consumers_(options.consumers),
      epoch_(new_epoch()),
      expiry_timer_(strand) {}

asio::awaitable<void> Actor::run() {
  const auto executor = co_await asio::this_coro::executor;
  while (!ended_) {
    end_expired_leases();
    // A request comes behind all that has ended before it, so that it sees those frames.
    bool more = put_back_some();
    if (!more) {
      more = serve_requests();
    }
    more |= take_batches(batches_per_turn);
    consumers_.serve(buffer_);
    if (more) {
      co_await asio::post(executor, asio::use_awaitable);
    } else if (!ended_) {
      watch_expiry();
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
    if (!returning_.empty()) {
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
    make_room(batch);
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

void Actor::make_room(const FrameBatch& batch) {
  while (!consumers_.empty() && buffer_.lacks_room_for(batch)) {
    const auto place = consumers_.expendable(buffer_);
    if (!place) {
      return;  // the policy applies
    }
    const FrameBatch oldest = buffer_.take_at(*place);
    if (consumers_.anyone_holds()) {
      accounts_.delivered(oldest.frames());  // to all who must have it
    } else {
      const bool drops_anyway = buffer_.level().limits.when_full == WhenFull::drop_oldest;
      accounts_.dropped(drops_anyway ? DropReason::buffer_full_oldest : DropReason::consumer_behind,
                        oldest);
    }
    consumers_.removed({*place, oldest.frames()}, oldest.bytes(), Skip::buffer_full);
  }
}

void Actor::deliver(const PlaceRange& range) {
  auto entry = buffer_.find_from(range.first);
  while (entry && entry->place < range.end()) {
    const PlaceRange places{entry->place, entry->batch->frames()};
    if (consumers_.have_all(places)) {
      accounts_.delivered(buffer_.take_at(places.first).frames());
    } else {
      consumers_.stays(places);
    }
    entry = buffer_.find_from(places.end());
  }
}

void Actor::pass_over(const std::vector<BufferedBatch>& batches, Skip why) {
  if (consumers_.empty()) {
    return;
  }
  for (const BufferedBatch& buffered : batches) {
    consumers_.removed(buffered.places(), buffered.batch.bytes(), why);
  }
}

void Actor::count(const FrameBatch& batch) {
  accounts_.received(batch);
  consumers_.adding(amount_of(batch));
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
  return {.ledger = accounts_.ledger(buffer_.depth().frames, buffer_.leased().frames),
          .buffer = buffer_.level(),
          .channel = data_.level(),
          .origins = accounts_.origins().totals(),
          .arrivals = arrivals_,
          .tails = tails_.counts(),
          .leases = leases_.counts(),
          .consumers = consumers_.stats(buffer_)};
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
  SavedState& saved = request.saved;
  accounts_.restore(saved);
  give_places(saved.frames, saved.positions);
  std::uint64_t next_place = 0;
  if (saved.positions) {
    epoch_ = saved.positions->epoch;
    next_place = saved.positions->next_place;
  }
  consumers_.restore(saved.positions ? saved.positions->consumers : std::vector<SavedConsumer>{},
                     saved.frames);
  const std::vector<PlaceRange> places =
      consumers_.empty() ? std::vector<PlaceRange>{} : places_of(saved.frames);
  buffer_.restore(std::move(saved.frames), next_place, !consumers_.empty());
  for (const PlaceRange& range : places) {
    deliver(range);  // there may be fewer consumers than there were
  }
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
  for (Leases::Lease& lease : leases_.release_all()) {
    give_back(mark_redelivered(std::move(lease)));
  }
  while (put_back_some()) {
  }
  ended_ = true;
  FinalState last{.stats = stats(), .saved = {}};
  last.saved.ledger = last.stats.ledger;
  last.saved.origins = accounts_.origins().all();
  last.saved.positions = SavedPositions{
      .epoch = epoch_, .next_place = buffer_.end_place(), .consumers = consumers_.saved()};
  for (auto& [place, batch] : buffer_.take_all()) {
    last.saved.frames.push_back({place, std::move(batch)});
  }
  std::move(request.reply).send(std::move(last));
}

request::DrainReply Actor::take(const DrainQuery& query, FrameBuffer::Room room,
                                request::DrainProgress progress) {
  if (!progress.last_batch) {
    progress.last_batch = batches_taken_ + (held_ ? data_.level().length : 0);
    // It is to see the frames of these, for which it makes room only once it is settled.
    if (room != FrameBuffer::Room::free && buffer_.within_limits()) {
      pass_until_ = std::max(pass_until_, *progress.last_batch);
    }
  }
  const bool seen_all =
      batches_taken_ > *progress.last_batch || (batches_taken_ == *progress.last_batch && !held_);
  if (!progress.until_place && seen_all) {
    progress.until_place = buffer_.end_place();
  }

  FrameBuffer::Taken taken = buffer_.take(
      {.max_frames = query.max_frames,
       .satellite_id = query.satellite_id,
       .from_place = progress.from_place,
       .until_place = progress.until_place.value_or(std::numeric_limits<std::uint64_t>::max()),
       .max_batches = batches_per_drain_step,
       .room = room});
  if (room != FrameBuffer::Room::leased) {
    accounts_.drained(taken.amount.frames);
  }
  if (room == FrameBuffer::Room::free) {
    pass_over(taken.batches, Skip::drained);
  }
  progress.from_place = taken.next_place;
  take_batches(data_.level().capacity);  // into the room that was made

  const bool nothing_will_come = progress.until_place || taken.amount.frames == 0;
  return {.batches = std::move(taken.batches),
          .taken = taken.amount,
          .remaining = buffer_.depth().frames,
          .progress = progress,
          .finished =
              taken.amount.frames == query.max_frames || (taken.reached_end && nothing_will_come)};
}

void Actor::answer(request::Drain& request) {
  const FrameBuffer::Room room = room_of(request.query.lend);
  request::DrainReply reply = take(request.query, room, request.progress);
  if (auto undelivered = std::move(request.reply).send(std::move(reply))) {
    accounts_.put_back(undelivered->taken.frames);
    put_back(std::move(undelivered->batches), room);
  }
}

void Actor::answer(request::Lease& request) {
  const DrainQuery query{.max_frames = request.query.max_frames,
                         .satellite_id = request.query.satellite_id};
  request::LeaseReply reply{.id = request.id,
                            .step = take(query, FrameBuffer::Room::leased, request.progress)};
  if (!reply.id && reply.step.taken.frames > 0) {
    reply.id = leases_.open();
  }
  if (reply.id) {
    leases_.fill(*reply.id, share(reply.step.batches), reply.step.taken);
  }
  if (reply.id && reply.step.finished) {
    leases_.start(*reply.id, Leases::Clock::now() + request.query.duration);
  }
  if (const auto undelivered = std::move(request.reply).send(std::move(reply))) {
    withdraw(undelivered->id);
  }
}

void Actor::answer(request::EndLease& request) {
  end_expired_leases();
  auto lease = leases_.end(request.id, request.how);
  if (!lease) {
    std::move(request.reply).send({.amount = {}, .ec = lease.error()});
    return;
  }
  const Depth amount = lease->amount;
  if (request.how == LeaseEnd::committed) {
    buffer_.settle(amount, FrameBuffer::Room::leased);
    accounts_.drained(amount.frames);
    pass_over(lease->batches, Skip::drained);
  } else {
    give_back(mark_redelivered(*std::move(lease)));
  }
  std::move(request.reply).send({.amount = amount, .ec = {}});
}

void Actor::answer(request::WithdrawLease& request) {
  withdraw(request.id);
  std::move(request.reply).send({});
}

void Actor::withdraw(std::optional<LeaseId> id) {
  auto lease = id ? leases_.withdraw(*id) : std::nullopt;
  if (lease) {
    give_back(*std::move(lease));
  }
}

void Actor::put_back(std::vector<BufferedBatch> batches, FrameBuffer::Room room) {
  const std::vector<PlaceRange> places =
      consumers_.empty() ? std::vector<PlaceRange>{} : places_of(batches);
  buffer_.put_back(std::move(batches), room);
  for (const PlaceRange& range : places) {
    deliver(range);  // consumers may have gone on meanwhile
  }
}

void Actor::give_back(Leases::Lease lease) {
  std::ranges::move(lease.batches, std::back_inserter(returning_));
}

bool Actor::put_back_some() {
  // From the newest on: under a policy that drops the newest, the oldest find their room last.
  const std::size_t count = std::min(returning_.size(), batches_per_drain_step);
  const auto first = returning_.end() - static_cast<std::ptrdiff_t>(count);
  std::vector<BufferedBatch> batches(std::make_move_iterator(first),
                                     std::make_move_iterator(returning_.end()));
  returning_.erase(first, returning_.end());
  put_back(std::move(batches), FrameBuffer::Room::leased);
  return !returning_.empty();
}

void Actor::end_expired_leases() {
  const auto now = Leases::Clock::now();
  while (auto lease = leases_.expire(now)) {
    give_back(mark_redelivered(*std::move(lease)));
  }
}

bool Actor::evict_lease() {
  const auto lease = leases_.evict();
  if (!lease) {
    return false;
  }
  for (const BufferedBatch& buffered : lease->batches) {
    accounts_.dropped(DropReason::lease_evicted, buffered.batch);
  }
  pass_over(lease->batches, Skip::buffer_full);
  buffer_.settle(lease->amount, FrameBuffer::Room::leased);
  return true;
}

void Actor::watch_expiry() {
  const auto next = leases_.next_expiry();
  if (!next || next == watched_expiry_) {
    return;
  }
  watched_expiry_ = next;
  expiry_timer_.expires_at(*next);
  expiry_timer_.async_wait([bell = bell_](const error_code&) { bell->ring(); });
}

void Actor::answer(request::PutBack& request) {
  std::uint64_t frames = 0;
  for (const BufferedBatch& buffered : request.batches) {
    frames += buffered.batch.frames();
  }
  accounts_.put_back(frames);
  put_back(std::move(request.batches), room_of(request.lent));
  std::move(request.reply).send({});
}

void Actor::answer(request::Settle& request) {
  for (const auto& [places, bytes] : request.batches) {
    buffer_.settle({places.frames, bytes}, FrameBuffer::Room::lent);
    consumers_.removed(places, bytes, Skip::drained);
  }
  std::move(request.reply).send({});
}

void Actor::answer(request::Flush& request) {
  request::FlushReply reply;
  reply.discarded = buffer_.depth().frames;
  reply.entries = buffer_.take_all();
  if (!consumers_.empty()) {
    for (const auto& [place, batch] : reply.entries) {
      consumers_.removed({place, batch.frames()}, batch.bytes(), Skip::flushed);
    }
  }
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
      consumers_.refused(amount_of(batch));  // before it got a place
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

void Actor::answer(request::Consume& request) {
  std::move(request.reply).send({.id = consumers_.find(request.name), .epoch = epoch_});
}

void Actor::answer(request::ReadNext& request) {
  consumers_.wait(request.id, request.max_bytes, std::move(request.reply));
}

void Actor::answer(request::Acknowledge& request) {
  for (const PlaceRange& range : request.batches) {
    if (consumers_.acknowledge(request.id, range)) {
      deliver(range);
    }
  }
  std::move(request.reply).send({});
}

void Actor::answer(request::Suspend& request) {
  consumers_.suspend(request.id, std::move(request.attempts));
  std::move(request.reply).send({});
}

void Actor::answer(request::Resume& request) {
  std::move(request.reply).send(consumers_.resume(request.id, buffer_));
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
