#include "aggregator/frame_buffer.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace meridian {

namespace {

Depth amount_of(const FrameBatch& batch) {
  return {batch.frames(), batch.bytes()};
}

void add_to(Depth& depth, const Depth& amount) noexcept {
  depth.frames += amount.frames;
  depth.bytes += amount.bytes;
}

void subtract_from(Depth& depth, const Depth& amount) noexcept {
  depth.frames -= amount.frames;
  depth.bytes -= amount.bytes;
}

/// By how much `value` is over `limit`.
std::uint64_t over(std::uint64_t value, std::uint64_t limit) {
  return value - std::min(value, limit);
}

/// How many leading frames have at most `max_frame_bytes` octets each.
std::uint32_t leading_frames_up_to(const FrameBatch& batch, std::uint64_t max_frame_bytes) {
  std::uint32_t count = 0;
  for (const FrameView frame : batch) {
    if (frame.octets.size() > max_frame_bytes) {
      break;
    }
    ++count;
  }
  return count;
}

/// How many leading frames to drop so that at least so much is gone.
std::uint32_t frames_to_shed(const FrameBatch& batch, std::uint64_t frames, std::uint64_t bytes) {
  if (frames >= batch.frames() || bytes >= batch.bytes()) {
    return batch.frames();
  }
  std::uint32_t count = 0;
  std::uint64_t shed = 0;
  for (const FrameView frame : batch) {
    if (count >= frames && shed >= bytes) {
      break;
    }
    shed += frame.octets.size();
    ++count;
  }
  return count;
}

/// A batch of which a part is taken.
struct Carved {
  std::optional<BufferedBatch> taken;
  std::optional<BufferedBatch> left;
};

/// Takes the first `room` frames (at least 1) of `satellite_id`, or of all.
Carved carve(BufferedBatch whole, std::optional<SatelliteId> satellite_id, std::uint64_t room) {
  bool any_wanted = false;
  bool any_other = false;
  whole.batch.for_each_run([&](const Run& run) {
    const bool wanted = !satellite_id || run.origin.satellite_id == *satellite_id;
    (wanted ? any_wanted : any_other) = true;
  });
  Carved carved;
  if (!any_wanted) {
    carved.left = std::move(whole);
  } else if (!any_other && whole.batch.frames() <= room) {
    carved.taken = std::move(whole);
  } else if (!any_other) {
    const auto count = static_cast<std::uint32_t>(room);
    carved.taken = BufferedBatch{whole.place, whole.batch.split_front(count)};
    carved.left = BufferedBatch{whole.place + count, std::move(whole.batch)};
  } else {
    // Satellites are mixed in this batch: the only case in which buffered octets are copied. The
    // wanted frames come to stand in front, and those of each satellite stay in their order; so
    // places go on without holes on both sides.
    const auto is_wanted = [&](const FrameView& frame) {
      return frame.header.origin.satellite_id == *satellite_id;
    };
    FrameBatchBuilder taken;
    FrameBatchBuilder left;
    std::uint64_t count = 0;
    for (const FrameView frame : whole.batch) {
      if (is_wanted(frame)) {
        (count < room ? taken : left).append(frame.header, frame.payload());
        count += count < room ? 1 : 0;
      }
    }
    for (const FrameView frame : whole.batch) {
      if (!is_wanted(frame)) {
        left.append(frame.header, frame.payload());
      }
    }
    const ReadStamp& stamp = whole.batch.stamp();
    carved.taken = BufferedBatch{whole.place, taken.finish(stamp).value()};
    carved.left = BufferedBatch{whole.place + count, left.finish(stamp).value()};
  }
  return carved;
}

}  // namespace

FrameBuffer::FrameBuffer(const BufferLimits& limits, OnDrop on_drop)
    : limits_(limits), on_drop_(std::move(on_drop)) {}

std::uint32_t FrameBuffer::frames_that_fit(const FrameBatch& batch) const noexcept {
  return batch.leading_frames_within(over(limits_.max_frames, depth_.frames),
                                     over(limits_.max_bytes, depth_.bytes));
}

std::uint32_t FrameBuffer::admits(const FrameBatch& batch) const noexcept {
  if (limits_.when_full != WhenFull::backpressure || backpressure_released_) {
    return batch.frames();
  }
  const std::uint32_t fitting = frames_that_fit(batch);
  // A frame that not even an empty buffer takes must not wait: it would do so for ever.
  const bool can_never_fit = fitting == 0 && depth_.frames == 0;
  return can_never_fit ? 1 : fitting;
}

void FrameBuffer::add(FrameBatch batch) {
  if (limits_.when_full == WhenFull::drop_oldest) {
    add_and_evict(std::move(batch));
  } else if (const std::uint32_t fitting = frames_that_fit(batch);
             fitting == batch.frames() || backpressure_released_) {
    append(std::move(batch));
  } else {
    if (fitting > 0) {
      append(batch.split_front(fitting));
    }
    on_drop_(DropReason::buffer_full_newest, batch);
  }
  note_high_water();
}

FrameBuffer::Taken FrameBuffer::take(const Step& step) {
  Taken taken;
  taken.next_place = step.from_place;
  auto entry = std::ranges::lower_bound(entries_, step.from_place, {}, &Entry::place);
  std::size_t looked_at = 0;
  while (entry != entries_.end() && entry->place < step.until_place) {
    if (taken.amount.frames == step.max_frames || looked_at == step.max_batches) {
      trim_front();
      return taken;
    }
    ++looked_at;
    if (entry->batch) {
      take_from(*entry, step, taken);
    }
    taken.next_place = entry->place + 1;
    ++entry;
  }
  taken.reached_end = true;
  trim_front();
  return taken;
}

void FrameBuffer::take_from(Entry& entry, const Step& step, Taken& taken) {
  Carved carved = carve({entry.place, *std::exchange(entry.batch, std::nullopt)}, step.satellite_id,
                        step.max_frames - taken.amount.frames);
  if (carved.left) {
    entry.place = carved.left->place;
    entry.batch = std::move(carved.left->batch);
  }
  if (carved.taken) {
    const Depth amount = amount_of(carved.taken->batch);
    add_to(taken.amount, amount);
    subtract_from(depth_, amount);
    taken.batches.push_back(*std::move(carved.taken));
  }
}

void FrameBuffer::put_back(std::vector<BufferedBatch> batches) {
  // Backwards: what was taken from the front then finds its place at the front each time.
  for (auto batch = batches.rbegin(); batch != batches.rend(); ++batch) {
    add_to(depth_, amount_of(batch->batch));
    const auto at = std::ranges::lower_bound(entries_, batch->place, {}, &Entry::place);
    if (at != entries_.end() && at->place == batch->place && !at->batch) {
      at->batch = std::move(batch->batch);
    } else {
      entries_.insert(at, Entry{batch->place, std::move(batch->batch)});
    }
  }
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

FrameBuffer::Entries FrameBuffer::take_all() {
  depth_ = {};
  return std::exchange(entries_, {});
}

void FrameBuffer::add_and_evict(FrameBatch batch) {
  // A frame that is larger than the whole buffer must not empty it for nothing.
  while (batch.bytes() > limits_.max_bytes) {
    const std::uint32_t possible = leading_frames_up_to(batch, limits_.max_bytes);
    if (possible == batch.frames()) {
      break;
    }
    if (possible > 0) {
      append(batch.split_front(possible));
      evict_oldest();
    }
    if (batch.frames() == 1) {
      on_drop_(DropReason::buffer_full_newest, batch);
      return;
    }
    on_drop_(DropReason::buffer_full_newest, batch.split_front(1));
  }
  append(std::move(batch));
  evict_oldest();
}

void FrameBuffer::append(FrameBatch batch) {
  add_to(depth_, amount_of(batch));
  const std::uint64_t place = std::exchange(end_place_, end_place_ + batch.frames());
  entries_.push_back({place, std::move(batch)});
}

void FrameBuffer::evict_oldest() {
  while (over_limits()) {
    Entry& oldest = entries_.front();
    if (oldest.batch) {
      const std::uint32_t count =
          frames_to_shed(*oldest.batch, over(depth_.frames, limits_.max_frames),
                         over(depth_.bytes, limits_.max_bytes));
      if (count == oldest.batch->frames()) {
        drop(DropReason::buffer_full_oldest, *std::exchange(oldest.batch, std::nullopt));
      } else {
        oldest.place += count;
        drop(DropReason::buffer_full_oldest, oldest.batch->split_front(count));
      }
    }
    trim_front();
  }
}

void FrameBuffer::evict_newest() {
  while (over_limits()) {
    std::optional<FrameBatch>& newest = entries_.back().batch;
    if (newest) {
      // The longest part from the front with which the buffer is within its limits.
      const std::uint32_t keep = newest->leading_frames_within(
          over(newest->frames(), over(depth_.frames, limits_.max_frames)),
          over(newest->bytes(), over(depth_.bytes, limits_.max_bytes)));
      if (keep > 0) {
        FrameBatch kept = newest->split_front(keep);
        drop(DropReason::buffer_full_newest, *std::exchange(newest, std::move(kept)));
        continue;
      }
      drop(DropReason::buffer_full_newest, *newest);
    }
    entries_.pop_back();
  }
}

void FrameBuffer::drop(DropReason reason, const FrameBatch& batch) {
  subtract_from(depth_, amount_of(batch));
  on_drop_(reason, batch);
}

void FrameBuffer::trim_front() {
  while (!entries_.empty() && !entries_.front().batch) {
    entries_.pop_front();
  }
}

void FrameBuffer::note_high_water() noexcept {
  high_water_.frames = std::max(high_water_.frames, depth_.frames);
  high_water_.bytes = std::max(high_water_.bytes, depth_.bytes);
}

}  // namespace meridian
