#include "aggregator/buffer_room.hpp"

#include "aggregator/batch_parts.hpp"

#include <algorithm>

namespace meridian::inline v2::aggregator {

void BufferRoom::keep(const Amount& amount, KeptRoom room) noexcept {
  if (room != KeptRoom::none) {
    add_to(room == KeptRoom::lent ? lent_ : leased_, amount);
  }
}

void BufferRoom::settle(const Amount& amount, KeptRoom room) {
  if (room != KeptRoom::none) {
    subtract_from(room == KeptRoom::lent ? lent_ : leased_, amount);
  }
}

Amount BufferRoom::used() const noexcept {
  return {.frames = depth_.frames + leased_.frames, .bytes = depth_.bytes + leased_.bytes};
}

Amount BufferRoom::used_or_lent() const noexcept {
  Amount amount = used();
  add_to(amount, lent_);
  return amount;
}

void BufferRoom::note_high_water() noexcept {
  for (Amount* const mark : {&high_water_, &peak_}) {
    mark->frames = std::max(mark->frames, depth_.frames);
    mark->bytes = std::max(mark->bytes, depth_.bytes);
  }
}

std::uint32_t BufferRoom::frames_that_fit_beside(const FrameBatch& batch,
                                                 const Amount& amount) const noexcept {
  const Amount room = room_beside(amount);
  return batch.leading_frames_within(room.frames, room.bytes);
}

std::uint32_t BufferRoom::admits(const FrameBatch& batch) const noexcept {
  if (!holds_back()) {
    return batch.frames();
  }
  // Frames that not even an empty buffer takes must not wait: they would wait for ever.
  const std::uint32_t can_never_fit = frames_too_large(batch);
  if (can_never_fit > 0) {
    return can_never_fit;
  }
  return frames_that_fit_beside(batch, used_or_lent());
}

std::uint32_t BufferRoom::frames_that_fit(const FrameBatch& batch) const noexcept {
  return frames_that_fit_beside(batch, used());
}

std::uint32_t BufferRoom::frames_without_room(const FrameBatch& batch) const {
  const Amount room = room_beside(used());
  const bool no_room = room.frames == 0 || room.bytes < frame_header_bytes;
  return no_room ? batch.frames() : leading_frames_above(batch, room.bytes);
}

std::uint32_t BufferRoom::frames_beside_leases(const FrameBatch& batch) const {
  const Amount room = room_beside(leased_);
  return room.frames == 0 ? 0 : leading_frames_up_to(batch, room.bytes);
}

std::uint32_t BufferRoom::frames_too_large(const FrameBatch& batch) const {
  return leading_frames_above(batch, limits_.max_bytes);
}

bool BufferRoom::lacks_room_for(const FrameBatch& batch) const noexcept {
  if (frames_too_large(batch) > 0) {
    return false;  // room would not help them
  }
  Amount kept = leased_;
  if (limits_.when_full == WhenFull::backpressure) {
    add_to(kept, lent_);
  }
  const Amount room = room_beside(kept);
  if (batch.leading_frames_within(room.frames, room.bytes) == 0) {
    return false;  // not even an empty buffer has room for it beside what is kept
  }
  return depth_.frames + std::min<std::uint64_t>(batch.frames(), room.frames) > room.frames ||
         depth_.bytes + std::min<std::uint64_t>(batch.bytes(), room.bytes) > room.bytes;
}

bool BufferRoom::waits_for_its_limits() const noexcept {
  const Amount total = used_or_lent();
  const Amount most = excused_level();
  return holds_back() && (total.frames > most.frames || total.bytes > most.bytes);
}

Amount BufferRoom::excused_level() const noexcept {
  return {.frames = std::max(limits_.max_frames, excused_.frames),
          .bytes = std::max(limits_.max_bytes, excused_.bytes)};
}

void BufferRoom::excuse_up_to(const Amount& most) noexcept {
  const Amount now = used_or_lent();
  excused_ = {.frames = std::min(now.frames, most.frames),
              .bytes = std::min(now.bytes, most.bytes)};
}

void BufferRoom::forget_excuse() noexcept {
  if (within_limits()) {
    excused_ = {};
  }
}

}  // namespace meridian::inline v2::aggregator
