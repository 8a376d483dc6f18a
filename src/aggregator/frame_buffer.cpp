#include "aggregator/frame_buffer.hpp"

#include "aggregator/amounts.hpp"
#include "aggregator/batch_parts.hpp"
#include "aggregator/walk.hpp"

#include <utility>

namespace meridian::inline v2::aggregator {

FrameBuffer::FrameBuffer(const BufferLimits& limits, OnDrop on_drop, EvictLease evict_lease)
    : room_(limits), on_drop_(std::move(on_drop)), evict_lease_(std::move(evict_lease)) {}

void FrameBuffer::add(FrameBatch batch) {
  switch (room_.limits().when_full) {
    case WhenFull::drop_oldest:
      add_and_evict(std::move(batch));
      break;
    case WhenFull::drop_newest:
      add_what_fits(std::move(batch));
      break;
    case WhenFull::backpressure:
      if (room_.holds_back() && room_.frames_too_large(batch) > 0) {
        on_drop_(DropReason::buffer_full_newest, batch, 0);
      } else {
        append(std::move(batch));
      }
      break;
  }
  room_.note_high_water();
}

void FrameBuffer::add_what_fits(FrameBatch batch) {
  for (;;) {
    const std::uint32_t fitting = room_.frames_that_fit(batch);
    if (fitting == batch.frames()) {
      append(std::move(batch));
      return;
    }
    if (fitting > 0) {
      append(batch.split_front(fitting));
    }
    const std::uint32_t refused = room_.frames_without_room(batch);
    const bool all = refused == batch.frames();
    on_drop_(DropReason::buffer_full_newest, take_front(batch, refused), 0);
    if (all) {
      return;
    }
  }
}

void FrameBuffer::add_and_evict(FrameBatch batch) {
  // A frame that is larger than the whole buffer must not empty it for nothing.
  const std::uint64_t max_bytes = room_.limits().max_bytes;
  while (batch.bytes() > max_bytes) {
    if (const std::uint32_t too_large = room_.frames_too_large(batch)) {
      const bool all = too_large == batch.frames();
      on_drop_(DropReason::buffer_full_newest, take_front(batch, too_large), 0);
      if (all) {
        return;
      }
    }
    const std::uint32_t possible = leading_frames_up_to(batch, max_bytes);
    if (possible == batch.frames()) {
      break;
    }
    add_beside_leases(batch.split_front(possible));
  }
  add_beside_leases(std::move(batch));
}

void FrameBuffer::add_beside_leases(FrameBatch batch) {
  // Each frame evicts the buffered frames before it. Leases are evicted only if that is not enough.
  while (room_.leased().frames > 0) {
    const std::uint32_t fitting = room_.frames_beside_leases(batch);
    if (fitting == batch.frames()) {
      break;
    }
    if (fitting > 0) {
      append(batch.split_front(fitting));
      evict_oldest();
    }
    if (!evict_lease_({})) {
      break;
    }
  }
  append(std::move(batch));
  evict_oldest();
}

void FrameBuffer::append(FrameBatch batch) {
  room_.add(amount_of(batch));
  const bool may_refuse = room_.limits().when_full == WhenFull::drop_newest;
  batches_.append(std::move(batch), may_refuse ? PlacedBatches::ReadBehind::may_be_refused
                                               : PlacedBatches::ReadBehind::comes);
}

FrameBuffer::Taken FrameBuffer::take(const Step& step) {
  Taken taken;
  PlacedBatches::Walk walk(batches_, step);
  while (walk.goes_on()) {
    if (auto batch = walk.look_at_next()) {
      taken.batches.push_back(*std::move(batch));
      const Amount amount = amount_of(taken.batches.back().batch);
      add_to(taken.amount, amount);
      room_.remove(amount);
      room_.keep(amount, step.room);
    }
  }
  taken.next_place = walk.next_place();
  taken.octets = walk.octets();
  taken.reached_end = walk.reached_end();
  if (taken.amount.frames < step.max_frames) {
    seal();  // the next step would not see frames that join an earlier batch
  }
  return taken;
}

BufferedBatch FrameBuffer::pass(FrameBatch&& batch, KeptRoom room) {
  BufferedBatch passed = batches_.pass(std::move(batch), room);
  room_.forget_excuse();
  room_.keep(amount_of(passed.batch), room);
  return passed;
}

void FrameBuffer::put_back(std::vector<BufferedBatch>&& batches, KeptRoom room) {
  room_.forget_excuse();
  while (!batches.empty()) {
    const Amount amount = amount_of(batches.back().batch);
    room_.settle(amount, room);
    try {
      batches_.put_back(batches.back());
    } catch (...) {
      room_.keep(amount, room);
      throw;
    }
    room_.add(amount);
    batches.pop_back();
  }
  apply_policy();
}

void FrameBuffer::restore(std::vector<BufferedBatch> batches, std::uint64_t next_place,
                          bool kept_apart) {
  for (BufferedBatch& buffered : batches) {
    batches_.skip_to(buffered.place);
    if (kept_apart) {
      seal();
    }
    append(std::move(buffered.batch));
  }
  batches_.skip_to(next_place);
  if (kept_apart) {
    seal();
  }
  apply_policy();
  room_.excuse_all();
}

FrameBatch FrameBuffer::take_at(std::uint64_t place) {
  FrameBatch batch = batches_.take_at(place);
  room_.remove(amount_of(batch));
  return batch;
}

FrameBuffer::Entries FrameBuffer::take_all() {
  room_.remove_all();
  return batches_.take_all();
}

void FrameBuffer::set_limits(const BufferLimits& limits) {
  const Amount before = room_.excused_level();
  room_.set_limits(limits);
  apply_policy();
  room_.excuse_up_to(before);
}

void FrameBuffer::apply_policy() {
  switch (room_.limits().when_full) {
    case WhenFull::drop_oldest:
      evict_oldest();
      break;
    case WhenFull::drop_newest:
      evict_newest();
      break;
    case WhenFull::backpressure:
      break;
  }
  room_.note_high_water();
}

void FrameBuffer::evict_oldest() {
  // Narrower limits can be too small for the leased frames alone. Then leases are evicted first: to
  // drop buffered frames would not be enough.
  while (room_.exceeds_limits(room_.leased()) && evict_lease_(room_.room_beside(room_.depth()))) {
  }
  // Leases that are being filled, and frames on their way back, cannot be evicted. The policy
  // applies to them when they come back.
  const bool leases_stay = room_.exceeds_limits(room_.leased());
  const auto counted = [&] { return leases_stay ? room_.depth() : room_.used(); };
  while (room_.exceeds_limits(counted())) {
    const Amount excess = room_.excess(counted());
    const FrameBatch& oldest = *batches_.oldest().batch;
    drop(DropReason::buffer_full_oldest,
         batches_.take_oldest(oldest.leading_frames_reaching(excess.frames, excess.bytes)));
  }
}

void FrameBuffer::evict_newest() {
  while (room_.exceeds_limits(room_.used()) && !batches_.empty()) {
    const Amount excess = room_.excess(room_.used());
    const FrameBatch& newest = *batches_.newest().batch;
    // The longest part from the front that leaves the buffer within its limits.
    const std::uint32_t staying = newest.leading_frames_within(over(newest.frames(), excess.frames),
                                                               over(newest.bytes(), excess.bytes));
    drop(DropReason::buffer_full_newest, batches_.take_newest(newest.frames() - staying));
  }
}

void FrameBuffer::drop(DropReason reason, const BufferedBatch& dropped) {
  room_.remove(amount_of(dropped.batch));
  on_drop_(reason, dropped.batch, dropped.place);
}

}  // namespace meridian::inline v2::aggregator
