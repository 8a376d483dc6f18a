#include "aggregator/frame_buffer.hpp"

#include "aggregator/amounts.hpp"
#include "aggregator/batch_parts.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <utility>

namespace meridian::inline v2::aggregator {

namespace {

/// A step of a drain ends when it has moved or looked through this many octets: a millisecond's
/// work.
constexpr std::size_t max_octets_in_step = 4 * 1024 * 1024;

/// By how much `value` is over `limit`.
std::uint64_t over(std::uint64_t value, std::uint64_t limit) {
  return value - std::min(value, limit);
}

}  // namespace

FrameBuffer::FrameBuffer(const BufferLimits& limits, OnDrop on_drop, EvictLease evict_lease)
    : limits_(limits), on_drop_(std::move(on_drop)), evict_lease_(std::move(evict_lease)) {}

std::uint32_t FrameBuffer::frames_that_fit(const FrameBatch& batch,
                                           const Amount& used) const noexcept {
  return batch.leading_frames_within(over(limits_.max_frames, used.frames),
                                     over(limits_.max_bytes, used.bytes));
}

std::uint32_t FrameBuffer::admits(const FrameBatch& batch) const noexcept {
  if (limits_.when_full != WhenFull::backpressure || backpressure_released_) {
    return batch.frames();
  }
  // Frames that not even an empty buffer takes must not wait: they would wait for ever.
  const std::uint32_t can_never_fit = leading_frames_above(batch, limits_.max_bytes);
  if (can_never_fit > 0) {
    return can_never_fit;
  }
  return frames_that_fit(batch, used_or_lent());
}

void FrameBuffer::add(FrameBatch batch) {
  switch (limits_.when_full) {
    case WhenFull::drop_oldest:
      add_and_evict(std::move(batch));
      break;
    case WhenFull::drop_newest:
      add_what_fits(std::move(batch));
      break;
    case WhenFull::backpressure:
      if (leading_frames_above(batch, limits_.max_bytes) > 0 && !backpressure_released_) {
        on_drop_(DropReason::buffer_full_newest, batch, 0);
      } else {
        append(std::move(batch));
      }
      break;
  }
  note_high_water();
}

FrameBuffer::Taken FrameBuffer::take(const Step& step) {
  Taken taken;
  taken.next_place = step.from_place;
  auto entry = entries_.lower_bound(step.from_place);
  SlabMates mates;
  std::size_t looked_at = 0;
  while (entry != entries_.end() && entry->first < step.until_place &&
         taken.amount.frames < step.max_frames && looked_at < step.max_batches &&
         taken.octets <= max_octets_in_step) {
    entry = take_from(entry, step, taken, mates);
    ++looked_at;
  }
  taken.reached_end = entry == entries_.end() || entry->first >= step.until_place;
  if (taken.amount.frames < step.max_frames) {
    seal();  // the next step does not look again at what was there
  }
  return taken;
}

FrameBuffer::Entries::iterator FrameBuffer::take_from(Entries::iterator entry, const Step& step,
                                                      Taken& taken, SlabMates& mates) {
  const auto next = std::next(entry);
  const std::uint64_t room = step.max_frames - taken.amount.frames;
  taken.octets += is_known(entry->second, step.satellite_id) ? 0 : entry->second.bytes();
  const Wanted wanted = wanted_of(entry->second, step.satellite_id);
  if (wanted == Wanted::some && step.keep_places) {
    return cut(entry, *step.satellite_id, room, taken);
  }
  taken.next_place = entry->first + entry->second.frames();
  if (wanted == Wanted::none) {
    taken.octets += mates.leave(entry->second);
    return next;
  }
  Entries::node_type node = entries_.extract(entry);
  const std::uint64_t place = node.key();
  FrameBatch& batch = node.mapped();
  const bool whole = wanted == Wanted::all && batch.frames() <= room;
  if (whole) {
    if (step.satellite_id) {
      taken.octets += mates.take(batch);
    }
    if (step.satellite_id || step.room == KeptRoom::leased) {
      taken.octets += batch.compact();  // those that share its slab stay, or go before it does
    }
    taken.batches.push_back({place, std::move(batch)});
  } else {
    taken.octets += wanted == Wanted::some ? batch.bytes() : 0;
    FrameBatch part = wanted == Wanted::all ? batch.split_front(static_cast<std::uint32_t>(room))
                                            : sort_out(batch, *step.satellite_id, room);
    node.key() = place + part.frames();
    taken.octets += batch.compact();
    if (step.room == KeptRoom::leased) {
      taken.octets += part.compact();
    }
    entries_.insert(next, std::move(node));
    taken.batches.push_back({place, std::move(part)});
  }
  const Amount amount = amount_of(taken.batches.back().batch);
  add_to(taken.amount, amount);
  subtract_from(depth_, amount);
  keep_room(amount, step.room);
  return next;
}

void FrameBuffer::keep_room(const Amount& amount, KeptRoom room) noexcept {
  if (room != KeptRoom::none) {
    add_to(room == KeptRoom::lent ? lent_ : leased_, amount);
  }
}

PlaceRange FrameBuffer::pass(const FrameBatch& batch, KeptRoom room) {
  forget_excuse();
  keep_room(amount_of(batch), room);
  return {std::exchange(end_place_, end_place_ + batch.frames()), batch.frames()};
}

/// Cuts a batch into parts of which the drain wants all or nothing. Returns the first.
FrameBuffer::Entries::iterator FrameBuffer::cut(Entries::iterator entry, SatelliteId satellite_id,
                                                std::uint64_t room, Taken& taken) {
  const auto next = std::next(entry);
  Entries::node_type node = entries_.extract(entry);
  FrameBatch& rest = node.mapped();
  const std::uint64_t first_place = node.key();
  for (const std::uint32_t count : stretches_of(rest, satellite_id, room)) {
    if (count == rest.frames()) {
      break;
    }
    FrameBatch part = rest.split_front(count);
    taken.octets += part.compact();
    entries_.emplace_hint(next, node.key(), std::move(part));
    node.key() += count;
  }
  taken.octets += rest.compact();
  entries_.insert(next, std::move(node));
  return entries_.find(first_place);
}

void FrameBuffer::put_back(std::vector<BufferedBatch>&& batches, KeptRoom room) {
  forget_excuse();
  while (!batches.empty()) {
    const Amount amount = amount_of(batches.back().batch);
    settle(amount, room);
    try {
      insert(batches.back());
    } catch (...) {
      keep_room(amount, room);
      throw;
    }
    add_to(depth_, amount);
    batches.pop_back();
  }
  apply_policy();
}

void FrameBuffer::insert(BufferedBatch& buffered) {
  const PlaceRange places = buffered.places();
  const auto behind = entries_.lower_bound(places.first);
  const bool reaches_behind = behind != entries_.end() && behind->first < places.end();
  const bool stands_in_front =
      behind != entries_.begin() &&
      std::prev(behind)->first + std::prev(behind)->second.frames() > places.first;
  if (places.first == 0 || places.end() > end_place_ || reaches_behind || stands_in_front) {
    throw std::logic_error("frames are put back to a place that is not theirs");
  }
  buffered.batch.forget_large_runs();
  entries_.emplace_hint(behind, places.first, std::move(buffered.batch));
}

void FrameBuffer::restore(std::vector<BufferedBatch> batches, std::uint64_t next_place,
                          bool kept_apart) {
  for (BufferedBatch& buffered : batches) {
    end_place_ = std::max(end_place_, buffered.place);
    if (kept_apart) {
      seal();
    }
    append(std::move(buffered.batch));
  }
  end_place_ = std::max(end_place_, next_place);
  if (kept_apart) {
    seal();
  }
  apply_policy();
  excused_ = used_or_lent();
}

std::optional<FrameBuffer::Entry> FrameBuffer::find_from(std::uint64_t place) const {
  const auto entry = entries_.lower_bound(place);
  if (entry == entries_.end()) {
    return std::nullopt;
  }
  return Entry{.place = entry->first, .batch = &entry->second};
}

FrameBatch FrameBuffer::hand_out(std::uint64_t place, std::size_t& moved) {
  FrameBatch& batch = entries_.at(place);
  moved += batch.compact();
  return batch.share();
}

FrameBatch FrameBuffer::take_at(std::uint64_t place) {
  const auto entry = entries_.find(place);
  if (entry == entries_.end()) {
    throw std::logic_error("frames are taken from a place where there are none");
  }
  FrameBatch batch = std::move(entry->second);
  entries_.erase(entry);
  subtract_from(depth_, amount_of(batch));
  return batch;
}

bool FrameBuffer::lacks_room_for(const FrameBatch& batch) const noexcept {
  if (leading_frames_above(batch, limits_.max_bytes) > 0) {
    return false;  // room would not help them
  }
  Amount kept = leased_;
  if (limits_.when_full == WhenFull::backpressure) {
    add_to(kept, lent_);
  }
  const std::uint64_t frames = over(limits_.max_frames, kept.frames);
  const std::uint64_t bytes = over(limits_.max_bytes, kept.bytes);
  if (batch.leading_frames_within(frames, bytes) == 0) {
    return false;  // not even an empty buffer has room for it beside what is kept
  }
  return depth_.frames + std::min<std::uint64_t>(batch.frames(), frames) > frames ||
         depth_.bytes + std::min<std::uint64_t>(batch.bytes(), bytes) > bytes;
}

void FrameBuffer::set_limits(const BufferLimits& limits) {
  const Amount before = excused_level();
  limits_ = limits;
  apply_policy();
  const Amount now = used_or_lent();
  excused_ = {std::min(now.frames, before.frames), std::min(now.bytes, before.bytes)};
}

void FrameBuffer::apply_policy() {
  switch (limits_.when_full) {
    case WhenFull::drop_oldest:
      evict_oldest();
      break;
    case WhenFull::drop_newest:
      evict_newest();
      break;
    case WhenFull::backpressure:
      break;
  }
  note_high_water();
}

void FrameBuffer::settle(const Amount& amount, KeptRoom room) {
  if (room != KeptRoom::none) {
    subtract_from(room == KeptRoom::lent ? lent_ : leased_, amount);
  }
}

bool FrameBuffer::within_limits() const noexcept {
  return !exceeds_limits(used_or_lent());
}

Amount FrameBuffer::excused_level() const noexcept {
  return {std::max(limits_.max_frames, excused_.frames),
          std::max(limits_.max_bytes, excused_.bytes)};
}

/// To be called before more may come. Once the buffer has been within its limits, any later excess
/// is due to frames that passed.
void FrameBuffer::forget_excuse() noexcept {
  if (within_limits()) {
    excused_ = {};
  }
}

bool FrameBuffer::waits_for_its_limits() const noexcept {
  const Amount total = used_or_lent();
  const Amount most = excused_level();
  return limits_.when_full == WhenFull::backpressure && !backpressure_released_ &&
         (total.frames > most.frames || total.bytes > most.bytes);
}

Amount FrameBuffer::room_beside_buffered() const noexcept {
  return {over(limits_.max_frames, depth_.frames), over(limits_.max_bytes, depth_.bytes)};
}

Amount FrameBuffer::room_for_leases() const noexcept {
  return {over(limits_.max_frames, leased_.frames), over(limits_.max_bytes, leased_.bytes)};
}

FrameBuffer::Entries FrameBuffer::take_all() {
  depth_ = {};
  return std::exchange(entries_, {});
}

void FrameBuffer::add_what_fits(FrameBatch batch) {
  for (;;) {
    const std::uint32_t fitting = frames_that_fit(batch, used());
    if (fitting == batch.frames()) {
      append(std::move(batch));
      return;
    }
    if (fitting > 0) {
      append(batch.split_front(fitting));
    }
    const Amount taken = used();
    const std::uint64_t room_bytes = over(limits_.max_bytes, taken.bytes);
    const bool no_room = taken.frames >= limits_.max_frames || room_bytes < frame_header_bytes;
    const std::uint32_t refused =
        no_room ? batch.frames() : leading_frames_above(batch, room_bytes);
    const bool all = refused == batch.frames();
    on_drop_(DropReason::buffer_full_newest, take_front(batch, refused), 0);
    if (all) {
      return;
    }
  }
}

void FrameBuffer::add_and_evict(FrameBatch batch) {
  // A frame that is larger than the whole buffer must not empty it for nothing.
  while (batch.bytes() > limits_.max_bytes) {
    if (const std::uint32_t too_large = leading_frames_above(batch, limits_.max_bytes)) {
      const bool all = too_large == batch.frames();
      on_drop_(DropReason::buffer_full_newest, take_front(batch, too_large), 0);
      if (all) {
        return;
      }
    }
    const std::uint32_t possible = leading_frames_up_to(batch, limits_.max_bytes);
    if (possible == batch.frames()) {
      break;
    }
    add_beside_leases(batch.split_front(possible));
  }
  add_beside_leases(std::move(batch));
}

void FrameBuffer::add_beside_leases(FrameBatch batch) {
  // Each frame evicts the buffered ones before it. What is leased goes only if that is not enough.
  while (leased_.frames > 0) {
    const std::uint32_t fitting =
        leased_.frames >= limits_.max_frames
            ? 0
            : leading_frames_up_to(batch, over(limits_.max_bytes, leased_.bytes));
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
  add_to(depth_, amount_of(batch));
  const std::uint64_t place = std::exchange(end_place_, end_place_ + batch.frames());
  batch.forget_large_runs();
  if (batch.bytes() < FramePage::small_bytes) {
    page_.take_in(batch);
    if (join_last(batch)) {
      return;
    }
  } else if (limits_.when_full == WhenFull::drop_newest) {
    batch.compact();  // what was read behind it may be refused
  }
  entries_.emplace_hint(entries_.end(), place, std::move(batch));
}

bool FrameBuffer::join_last(const FrameBatch& batch) {
  if (entries_.empty()) {
    return false;
  }
  auto& [place, last] = *std::prev(entries_.end());
  const std::uint64_t begin = end_place_ - batch.frames();
  return place + last.frames() == begin && begin != sealed_place_ &&
         last.reads() < FramePage::max_joined && last.join(batch);
}

void FrameBuffer::evict_oldest() {
  // After the limits have become narrower, leased frames can leave no room for anything. Then they
  // go before buffered frames, which would be dropped for nothing.
  while (exceeds_limits(leased_) && evict_lease_(room_beside_buffered())) {
  }
  // Leases that are being filled, and frames on their way back, cannot go: they find no room when
  // they come.
  const bool leases_stay = exceeds_limits(leased_);
  while (exceeds_limits(leases_stay ? depth_ : used())) {
    Entries::node_type oldest = entries_.extract(entries_.begin());
    FrameBatch& batch = oldest.mapped();
    const Amount taken = leases_stay ? depth_ : used();
    const std::uint32_t count = batch.leading_frames_reaching(
        over(taken.frames, limits_.max_frames), over(taken.bytes, limits_.max_bytes));
    if (count == batch.frames()) {
      drop(DropReason::buffer_full_oldest, oldest.key(), batch);
      continue;
    }
    const std::uint64_t place = oldest.key();
    const FrameBatch front = batch.split_front(count);
    oldest.key() += count;
    entries_.insert(entries_.begin(), std::move(oldest));
    drop(DropReason::buffer_full_oldest, place, front);
  }
}

void FrameBuffer::evict_newest() {
  while (exceeds_limits(used()) && !entries_.empty()) {
    const auto newest = std::prev(entries_.end());
    FrameBatch& batch = newest->second;
    const Amount taken = used();
    // The longest part from the front that leaves the buffer within its limits.
    const std::uint32_t keep =
        batch.leading_frames_within(over(batch.frames(), over(taken.frames, limits_.max_frames)),
                                    over(batch.bytes(), over(taken.bytes, limits_.max_bytes)));
    if (keep == 0) {
      drop(DropReason::buffer_full_newest, newest->first, batch);
      entries_.erase(newest);
      continue;
    }
    FrameBatch kept = batch.split_front(keep);
    drop(DropReason::buffer_full_newest, newest->first + keep, batch);
    kept.compact();
    batch = std::move(kept);
  }
}

void FrameBuffer::drop(DropReason reason, std::uint64_t place, const FrameBatch& batch) {
  subtract_from(depth_, amount_of(batch));
  on_drop_(reason, batch, place);
}

void FrameBuffer::note_high_water() noexcept {
  for (Amount* const mark : {&high_water_, &peak_}) {
    mark->frames = std::max(mark->frames, depth_.frames);
    mark->bytes = std::max(mark->bytes, depth_.bytes);
  }
}

}  // namespace meridian::inline v2::aggregator
