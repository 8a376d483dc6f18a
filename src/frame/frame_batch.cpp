#include "frame/run_builder.hpp"
#include "frame/wire.hpp"

#include <meridian/frame_batch.hpp>

#include <algorithm>
#include <cassert>
#include <limits>
#include <stdexcept>

namespace meridian {

FrameBatch::FrameBatch(SlabRange range, std::uint32_t frames, std::vector<Run> runs,
                       const ReadStamp& stamp)
    : range_(std::move(range)), runs_(std::move(runs)), stamp_(stamp), frames_(frames) {
  assert(frames > 0 && bytes() >= frames * frame_header_bytes);
}

void FrameBatch::compact() {
  if (bytes() < range_.slab_bytes / 2) {
    range_ = copy_to_slab(octets());
  }
  if (runs_.capacity() * sizeof(Run) > bytes() / 4) {
    runs_ = std::vector<Run>();  // `= {}` would keep its memory
  }
}

std::vector<Run> FrameBatch::find_runs() const {
  if (!runs_.empty()) {
    return runs_;
  }
  RunBuilder runs(stamp_.width);
  for (const FrameView frame : *this) {
    runs.add(frame.header.origin, frame.header.sequence, frame.octets.size());
  }
  return runs.take();
}

FrameBatch FrameBatch::split_front(std::uint32_t count) {
  assert(count > 0 && count < frames_);
  std::size_t front_bytes = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    front_bytes += wire::frame_bytes(octets().data() + front_bytes);
  }
  SlabRange front = range_;
  front.octets = octets().first(front_bytes);
  range_.octets = octets().subspan(front_bytes);
  frames_ -= count;
  runs_ = std::vector<Run>();
  return FrameBatch(std::move(front), count, {}, stamp_);
}

std::uint32_t FrameBatch::leading_frames_within(std::uint64_t max_frames,
                                                std::uint64_t max_bytes) const noexcept {
  const auto limit = static_cast<std::uint32_t>(std::min<std::uint64_t>(frames_, max_frames));
  if (bytes() <= max_bytes) {
    return limit;
  }
  std::uint32_t count = 0;
  std::size_t used = 0;
  while (count < limit) {
    used += wire::frame_bytes(octets().data() + used);
    if (used > max_bytes) {
      break;
    }
    ++count;
  }
  return count;
}

SlabRange copy_to_slab(std::span<const std::byte> octets) {
  auto slab = std::make_shared_for_overwrite<std::byte[]>(octets.size());
  std::ranges::copy(octets, slab.get());
  const std::span<const std::byte> copied(slab.get(), octets.size());
  return {.slab = std::move(slab), .slab_bytes = octets.size(), .octets = copied};
}

void FrameBatchBuilder::append(const FrameHeader& header, std::span<const std::byte> payload) {
  const std::size_t old_size = octets_.size();
  if (payload.size() > std::numeric_limits<std::uint32_t>::max() - old_size - frame_header_bytes) {
    throw std::length_error("a frame batch holds less than 4 GiB");
  }
  octets_.resize(old_size + frame_header_bytes + payload.size());
  const std::span<std::byte> frame = std::span(octets_).subspan(old_size);
  write_frame_header(header, payload.size(), frame.first<frame_header_bytes>());
  std::ranges::copy(payload, frame.begin() + frame_header_bytes);
  ++frames_;
}

std::optional<FrameBatch> FrameBatchBuilder::finish(const ReadStamp& stamp) {
  const std::uint32_t frames = std::exchange(frames_, 0);
  const std::vector<std::byte> octets = std::exchange(octets_, {});
  if (frames == 0) {
    return std::nullopt;
  }
  return FrameBatch(copy_to_slab(octets), frames, {}, stamp);
}

}  // namespace meridian
