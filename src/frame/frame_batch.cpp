#include "frame/run_builder.hpp"
#include "frame/wire.hpp"

#include <meridian/frame_batch.hpp>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <iterator>
#include <limits>
#include <map>
#include <stdexcept>
#include <utility>

namespace meridian::inline v2 {

namespace {

std::uint64_t divide_up(std::uint64_t a, std::uint64_t b) {
  return a / b + (a % b != 0 ? 1 : 0);
}

}  // namespace

FrameBatch::FrameBatch(SlabRange range, FrameSummary summary, const ReadStamp& stamp)
    : range_(std::move(range)),
      summary_(std::move(summary)),
      stamp_(stamp),
      time_base_(stamp.received_at) {
  assert(frames() > 0 && bytes() >= std::uint64_t{frames()} * frame_header_bytes);
  assert(summary_.frame_bytes == 0 || bytes() == std::uint64_t{frames()} * summary_.frame_bytes);
}

ReceiveTime FrameBatch::received_at(std::size_t offset) const noexcept {
  const auto behind = std::ranges::upper_bound(later_reads_, offset, {}, &LaterRead::begin);
  if (behind == later_reads_.begin()) {
    return stamp_.received_at;
  }
  return time_base_ + std::chrono::microseconds(std::prev(behind)->since_base_us);
}

std::optional<std::int32_t> FrameBatch::since_base_us(ReceiveTime time) const noexcept {
  const auto microseconds = (time - time_base_).count();
  if (!std::in_range<std::int32_t>(microseconds)) {
    return std::nullopt;
  }
  return static_cast<std::int32_t>(microseconds);
}

void FrameBatch::forget_large_runs() {
  if (summary_.runs.capacity() * sizeof(Run) > bytes() / 4) {
    summary_.runs = std::vector<Run>();  // `= {}` would keep its memory
  }
}

std::size_t FrameBatch::compact() {
  forget_large_runs();
  later_reads_.shrink_to_fit();
  if (bytes() >= range_.slab_bytes / 2) {
    return 0;
  }
  relocate(copy_to_slab(octets()));
  return bytes();
}

void FrameBatch::relocate(SlabRange copy) noexcept {
  assert(copy.octets.size() == bytes());
  range_ = std::move(copy);
}

std::vector<Run> FrameBatch::find_runs() const {
  if (!summary_.runs.empty()) {
    return summary_.runs;
  }
  frame::RunBuilder runs(stamp_.width);
  for (const FrameView frame : *this) {
    runs.add(frame.header.origin, frame.header.sequence, frame.octets.size(), frame.header.stored);
  }
  return runs.take().runs;
}

std::span<const SatelliteId> FrameBatch::satellites() {
  if (!satellites_) {
    std::vector<SatelliteId> found;
    for_each_run([&found](const Run& run) {
      // Looks at the last few first, so that interleaved satellites are not noted again for each
      // run.
      const auto last = found.end() - std::min<std::ptrdiff_t>(std::ssize(found), 8);
      if (std::find(last, found.end(), run.origin.satellite_id) == found.end()) {
        found.push_back(run.origin.satellite_id);
      }
    });
    std::ranges::sort(found);
    const auto repeated = std::ranges::unique(found);
    found.erase(repeated.begin(), repeated.end());
    found.shrink_to_fit();
    satellites_ = std::make_shared<const std::vector<SatelliteId>>(std::move(found));
  }
  return *satellites_;
}

std::size_t FrameBatch::bytes_of_leading(std::uint32_t count) const noexcept {
  if (summary_.frame_bytes != 0) {
    return std::size_t{count} * summary_.frame_bytes;
  }
  std::size_t bytes = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    bytes += frame::wire::frame_bytes(octets().data() + bytes);
  }
  return bytes;
}

FrameBatch FrameBatch::split_front(std::uint32_t count) {
  assert(count > 0 && count < frames());
  const std::size_t front_bytes = bytes_of_leading(count);
  SlabRange range = range_;
  range.octets = octets().first(front_bytes);
  FrameBatch front(std::move(range), split_summary(count, front_bytes), stamp_);
  range_.octets = octets().subspan(front_bytes);
  front.time_base_ = time_base_;
  front.later_reads_ = split_reads(front_bytes);
  front.redelivered_ = redelivered_;
  if (satellites_ && satellites_->size() == 1) {
    front.satellites_ = satellites_;
  } else {
    satellites_.reset();
  }
  return front;
}

FrameSummary FrameBatch::split_summary(std::uint32_t count, std::size_t bytes) {
  FrameSummary front{.frames = count, .frame_bytes = summary_.frame_bytes};
  summary_.frames -= count;
  if (summary_.runs.size() != 1) {
    summary_.runs = std::vector<Run>();  // to assign the runs to the parts would take a walk
    return front;
  }
  Run& rest = summary_.runs.front();
  front.runs.push_back(rest);
  front.runs.front().frames = count;
  front.runs.front().bytes = bytes;
  rest.frames -= count;
  rest.bytes -= bytes;
  rest.first = (rest.first + count) & largest_sequence(stamp_.width);
  return front;
}

std::vector<FrameBatch::LaterRead> FrameBatch::split_reads(std::size_t bytes) {
  if (later_reads_.empty()) {
    return {};
  }
  stamp_.received_at = received_at(bytes);
  const auto cut = std::ranges::lower_bound(later_reads_, bytes, {}, &LaterRead::begin);
  const auto behind = std::ranges::upper_bound(later_reads_, bytes, {}, &LaterRead::begin);
  std::vector<LaterRead> front(later_reads_.begin(), cut);
  later_reads_.erase(later_reads_.begin(), behind);
  for (LaterRead& read : later_reads_) {
    read.begin -= static_cast<std::uint32_t>(bytes);
  }
  return front;
}

/// Collects some of the frames of a batch.
class FrameBatch::Part {
 public:
  explicit Part(const FrameBatch& whole) : whole_(whole) {}

  void append(std::span<const std::byte> octets, ReceiveTime received_at) {
    if (octets_.empty()) {
      first_received_at_ = received_at;
    } else if (received_at != last_received_at_) {
      later_reads_.push_back(
          {static_cast<std::uint32_t>(octets_.size()), whole_.since_base_us(received_at).value()});
    }
    last_received_at_ = received_at;
    octets_.insert(octets_.end(), octets.begin(), octets.end());
    ++frames_;
  }

  [[nodiscard]] FrameBatch finish() {
    ReadStamp stamp = whole_.stamp_;
    stamp.received_at = first_received_at_;
    const FrameSummary summary{.frames = frames_, .frame_bytes = whole_.summary_.frame_bytes};
    FrameBatch batch(copy_to_slab(octets_), summary, stamp);
    batch.time_base_ = whole_.time_base_;
    batch.later_reads_ = std::move(later_reads_);
    batch.redelivered_ = whole_.redelivered_;
    return batch;
  }

 private:
  const FrameBatch& whole_;
  std::vector<std::byte> octets_;
  std::uint32_t frames_ = 0;
  ReceiveTime first_received_at_{};
  ReceiveTime last_received_at_{};
  std::vector<LaterRead> later_reads_;
};

FrameBatch FrameBatch::take_if(const std::function<bool(const FrameView&)>& takes) {
  Part taken(*this);
  Part left(*this);
  std::size_t offset = 0;
  for (const FrameView frame : *this) {
    (takes(frame) ? taken : left).append(frame.octets, received_at(offset));
    offset += frame.octets.size();
  }
  FrameBatch batch = taken.finish();
  *this = left.finish();
  return batch;
}

std::vector<FrameBatch> FrameBatch::divide_by_origin() const {
  std::vector<Part> parts;
  std::map<Origin, std::size_t> index;
  for_each_run([&](const Run& run) {
    if (index.try_emplace(run.origin, index.size()).second) {
      parts.emplace_back(*this);
    }
  });
  std::vector<FrameBatch> batches;
  if (parts.size() == 1) {
    batches.push_back(share());
    return batches;
  }
  std::size_t offset = 0;
  for (const FrameView frame : *this) {
    parts[index.at(frame.header.origin)].append(frame.octets, received_at(offset));
    offset += frame.octets.size();
  }
  for (Part& part : parts) {
    batches.push_back(part.finish());
  }
  return batches;
}

bool FrameBatch::join(const FrameBatch& next) {
  const auto since_base = since_base_us(next.stamp_.received_at);
  const bool follows =
      next.range_.slab == range_.slab && next.octets().data() == octets().data() + bytes();
  if (!follows || !since_base || !next.later_reads_.empty() || next.stamp_.width != stamp_.width ||
      redelivered_ || next.redelivered_) {
    return false;
  }
  later_reads_.push_back({static_cast<std::uint32_t>(bytes()), *since_base});
  satellites_.reset();
  range_.octets = std::span(octets().data(), bytes() + next.bytes());
  if (summary_.frame_bytes != next.summary_.frame_bytes) {
    summary_.frame_bytes = 0;
  }
  summary_.frames += next.frames();
  summary_.runs = std::vector<Run>();
  stamp_.read = 0;
  if (stamp_.session != next.stamp_.session) {
    stamp_.session = 0;
  }
  return true;
}

std::uint32_t FrameBatch::leading_frames_within(std::uint64_t max_frames,
                                                std::uint64_t max_bytes) const noexcept {
  const auto limit = static_cast<std::uint32_t>(std::min<std::uint64_t>(frames(), max_frames));
  if (bytes() <= max_bytes) {
    return limit;
  }
  if (summary_.frame_bytes != 0) {
    return static_cast<std::uint32_t>(
        std::min<std::uint64_t>(limit, max_bytes / summary_.frame_bytes));
  }
  std::uint32_t count = 0;
  std::size_t used = 0;
  while (count < limit) {
    used += frame::wire::frame_bytes(octets().data() + used);
    if (used > max_bytes) {
      break;
    }
    ++count;
  }
  return count;
}

std::uint32_t FrameBatch::leading_frames_reaching(std::uint64_t min_frames,
                                                  std::uint64_t min_bytes) const noexcept {
  if (min_frames >= frames() || min_bytes >= bytes()) {
    return frames();
  }
  if (summary_.frame_bytes != 0) {
    return static_cast<std::uint32_t>(
        std::max(min_frames, divide_up(min_bytes, summary_.frame_bytes)));
  }
  std::uint32_t count = 0;
  std::size_t reached = 0;
  while (count < min_frames || reached < min_bytes) {
    reached += frame::wire::frame_bytes(octets().data() + reached);
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
  return FrameBatch(copy_to_slab(octets), {.frames = frames}, stamp);
}

}  // namespace meridian::inline v2
