#include "aggregator/holdings.hpp"

#include "aggregator/amounts.hpp"
#include "aggregator/epoch.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace meridian::inline v2::aggregator {

namespace {

// How many batches are put back at a time: a few hundred microseconds' work.
constexpr std::size_t batches_at_once = 2048;

std::vector<BufferedBatch> share(const std::vector<BufferedBatch>& batches) {
  std::vector<BufferedBatch> shared;
  shared.reserve(batches.size());
  for (const BufferedBatch& buffered : batches) {
    shared.push_back({buffered.place, buffered.batch.share()});
  }
  return shared;
}

/// Takes out the newest frames, as many as there is room for.
std::vector<BufferedBatch> take_newest(std::vector<BufferedBatch>& batches, Amount room) {
  std::vector<BufferedBatch> newest;
  while (!batches.empty()) {
    auto& [place, batch] = batches.back();
    const std::uint32_t too_many = batch.leading_frames_reaching(over(batch.frames(), room.frames),
                                                                 over(batch.bytes(), room.bytes));
    if (too_many == batch.frames()) {
      break;
    }
    if (too_many > 0) {
      FrameBatch too_old = batch.split_front(too_many);
      batch.compact();  // frames that are dropped share its memory
      newest.push_back({place + too_many, std::move(batch)});
      batch = std::move(too_old);
      break;
    }
    subtract_from(room, amount_of(batch));
    newest.push_back(std::move(batches.back()));
    batches.pop_back();
  }
  std::ranges::reverse(newest);
  return newest;
}

}  // namespace

Holdings::Holdings(const AggregatorOptions& options)
    : accounts_(options.max_tracked, options.reset_after),
      buffer_(
          options.buffer,
          [this](DropReason reason, const FrameBatch& batch, std::uint64_t place) {
            accounts_.dropped(reason, batch);
            if (place == 0) {
              consumers_.refused(amount_of(batch));
            } else {
              note_dropped({place, batch.frames()}, batch.bytes());
            }
          },
          [this](const Amount& room) { return evict_lease(room); }),
      consumers_(options.consumers),
      epoch_(new_epoch()) {}

std::optional<FrameBatch> Holdings::accept(FrameBatch batch) {
  // In parts: frames that are larger than the whole buffer are admitted on their own.
  for (;;) {
    make_room(batch);
    const std::uint32_t admitted = buffer_.admits(batch);
    if (admitted == batch.frames()) {
      note_latency(batch);
      count(batch);
      buffer_.add(std::move(batch));
      return std::nullopt;
    }
    if (admitted == 0) {
      return batch;
    }
    FrameBatch part = batch.split_front(admitted);
    count(part);
    buffer_.add(std::move(part));
  }
}

void Holdings::make_room(const FrameBatch& batch) {
  while (!consumers_.empty() && buffer_.lacks_room_for(batch)) {
    const auto place = consumers_.expendable(buffer_);
    if (!place) {
      return;  // the policy applies
    }
    const FrameBatch oldest = buffer_.take_at(*place);
    if (consumers_.anyone_holds()) {
      accounts_.delivered(oldest.frames());  // to all consumers that must have it
    } else {
      const bool drops_anyway = buffer_.level().limits.when_full == WhenFull::drop_oldest;
      accounts_.dropped(drops_anyway ? DropReason::buffer_full_oldest : DropReason::consumer_behind,
                        oldest);
    }
    consumers_.removed({*place, oldest.frames()}, oldest.bytes(), Skip::buffer_full);
  }
}

void Holdings::count(const FrameBatch& batch, Accounts::Order order) {
  accounts_.received(batch, order);
  consumers_.adding(amount_of(batch));
  tails_.offer(batch);
}

void Holdings::note_latency(const FrameBatch& batch) {
  const auto on_its_way = std::chrono::floor<std::chrono::microseconds>(
      std::chrono::system_clock::now() - batch.stamp().received_at);
  // A clock that is set back makes the time negative.
  arrivals_.latency_us.add(
      static_cast<std::uint64_t>(std::max<std::int64_t>(on_its_way.count(), 0)));
}

FrameBuffer::Taken Holdings::take(FrameBuffer::Step step) {
  step.keep_places = !consumers_.empty();
  FrameBuffer::Taken taken = buffer_.take(step);
  if (!consumers_.empty()) {
    for (const BufferedBatch& buffered : taken.batches) {
      note_rest(buffered.places());
    }
  }
  if (step.room != FrameBuffer::KeptRoom::leased) {
    accounts_.drained(taken.amount.frames);
  }
  return taken;
}

BufferedBatch Holdings::pass(FrameBatch batch, FrameBuffer::KeptRoom room, Accounts::Order order) {
  count(batch, order);
  BufferedBatch passed = buffer_.pass(std::move(batch), room);
  if (room != FrameBuffer::KeptRoom::leased) {
    accounts_.drained(passed.batch.frames());
  }
  return passed;
}

void Holdings::note_dropped(const PlaceRange& range, std::uint64_t bytes) {
  if (!consumers_.empty()) {
    consumers_.removed(range, bytes, Skip::buffer_full);
    note_rest(range);
  }
}

void Holdings::note_rest(const PlaceRange& taken) {
  if (const auto entry = buffer_.find_from(taken.end()); entry && entry->place == taken.end()) {
    consumers_.stays(entry->places());
  }
}

void Holdings::put_back(std::vector<BufferedBatch> batches, FrameBuffer::KeptRoom room) {
  std::uint64_t frames = 0;
  for (const BufferedBatch& buffered : batches) {
    frames += buffered.batch.frames();
  }
  accounts_.put_back(frames);
  insert(std::move(batches), room);
}

void Holdings::settle(const PlaceRange& places, std::uint64_t bytes, FrameBuffer::KeptRoom room) {
  buffer_.settle({places.frames, bytes}, room);
  consumers_.removed(places, bytes, Skip::drained);
}

FrameBuffer::Entries Holdings::flush() {
  accounts_.flushed(buffer_.depth().frames);
  FrameBuffer::Entries entries = buffer_.take_all();
  if (!consumers_.empty()) {
    for (const auto& [place, batch] : entries) {
      consumers_.removed({place, batch.frames()}, batch.bytes(), Skip::flushed);
    }
  }
  return entries;
}

void Holdings::flush(const FrameBatch& batch) {
  note_latency(batch);
  count(batch);
  consumers_.refused(amount_of(batch));  // before they got places
  accounts_.flushed(batch.frames());
}

void Holdings::pass_over(const std::vector<BufferedBatch>& batches, Skip why) {
  if (consumers_.empty()) {
    return;
  }
  for (const BufferedBatch& buffered : batches) {
    consumers_.removed(buffered.places(), buffered.batch.bytes(), why);
  }
}

std::optional<LeaseId> Holdings::lease(std::optional<LeaseId> id,
                                       const std::vector<BufferedBatch>& batches,
                                       const Amount& amount) {
  if (!id && amount.frames > 0) {
    id = leases_.open();
  }
  if (id) {
    leases_.fill(*id, share(batches), amount);
  }
  return id;
}

boost::system::result<Amount> Holdings::end_lease(LeaseId id, LeaseEnd how) {
  auto lease = leases_.end(id, how);
  if (!lease) {
    return lease.error();
  }
  const Amount amount = lease->amount;
  if (how == LeaseEnd::committed) {
    buffer_.settle(amount, FrameBuffer::KeptRoom::leased);
    accounts_.drained(amount.frames);
    pass_over(lease->batches, Skip::drained);
  } else {
    give_back_marked(*std::move(lease));
  }
  return amount;
}

void Holdings::withdraw_lease(LeaseId id) {
  if (auto lease = leases_.withdraw(id)) {
    give_back(*std::move(lease));
  }
}

void Holdings::expire_leases(Leases::Clock::time_point now) {
  while (auto lease = leases_.expire(now)) {
    give_back_marked(*std::move(lease));
  }
}

bool Holdings::evict_lease(const Amount& room) {
  auto lease = leases_.evict();
  if (!lease) {
    return false;
  }
  Amount others = buffer_.leased();
  subtract_from(others, lease->amount);
  std::vector<BufferedBatch> kept = take_newest(lease->batches, over(room, others));
  Amount dropped;
  for (const BufferedBatch& buffered : lease->batches) {
    accounts_.dropped(DropReason::lease_evicted, buffered.batch);
    add_to(dropped, amount_of(buffered.batch));
  }
  pass_over(lease->batches, Skip::buffer_full);
  buffer_.settle(dropped, FrameBuffer::KeptRoom::leased);
  give_back_marked({.batches = std::move(kept), .amount = {}});
  return true;
}

void Holdings::give_back(Leases::Lease lease) {
  std::ranges::move(lease.batches, std::back_inserter(returning_));
}

void Holdings::give_back_marked(Leases::Lease lease) {
  for (BufferedBatch& buffered : lease.batches) {
    buffered.batch.mark_redelivered();
  }
  give_back(std::move(lease));
}

bool Holdings::put_back_some() {
  // Newest first: under a policy that drops the newest, the oldest come last and find room.
  const std::size_t count = std::min(returning_.size(), batches_at_once);
  const auto first = returning_.end() - static_cast<std::ptrdiff_t>(count);
  std::vector<BufferedBatch> batches(std::make_move_iterator(first),
                                     std::make_move_iterator(returning_.end()));
  returning_.erase(first, returning_.end());
  try {
    insert(std::move(batches), FrameBuffer::KeptRoom::leased);
  } catch (...) {
    // A stop must still be able to save what has not been put back.
    std::ranges::move(batches, std::back_inserter(returning_));
    throw;
  }
  return !returning_.empty();
}

void Holdings::acknowledge(Consumers::Id id, const PlaceRange& range) {
  if (consumers_.acknowledge(id, range)) {
    deliver(range, Rest::stays);
  }
}

void Holdings::deliver(const PlaceRange& range, Rest rest) {
  auto entry = buffer_.find_from(range.first);
  while (entry && entry->place < range.end()) {
    const PlaceRange places = entry->places();
    if (consumers_.have_all(places)) {
      accounts_.delivered(buffer_.take_at(places.first).frames());
      consumers_.left(places);
    } else if (rest == Rest::stays) {
      consumers_.stays(places);
    } else {
      consumers_.came_back(places);
    }
    entry = buffer_.find_from(places.end());
  }
}

std::vector<PlaceRange> Holdings::to_deliver(const std::vector<BufferedBatch>& batches) const {
  std::vector<PlaceRange> places;
  if (!consumers_.empty()) {
    for (const BufferedBatch& buffered : batches) {
      places.push_back(buffered.places());
    }
  }
  return places;
}

void Holdings::insert(std::vector<BufferedBatch>&& batches, FrameBuffer::KeptRoom room) {
  const std::vector<PlaceRange> inserted = to_deliver(batches);
  buffer_.put_back(std::move(batches), room);
  for (const PlaceRange& range : inserted) {
    deliver(range, Rest::has_come_back);
  }
}

void Holdings::set_limits(const BufferLimits& limits, std::size_t max_tracked,
                          std::uint32_t reset_after) {
  buffer_.set_limits(limits);
  accounts_.set_tracking(max_tracked, reset_after);
}

}  // namespace meridian::inline v2::aggregator
