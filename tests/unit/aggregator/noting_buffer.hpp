/// A buffer under test.
#pragma once

#include "aggregator/frame_buffer.hpp"
#include "unit/frame/frame_samples.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

namespace meridian::test {

inline constexpr std::uint64_t any = 1'000'000;

/// The payload of a frame that is not joined with others.
inline constexpr std::size_t not_small = aggregator::FramePage::small_bytes;

inline std::vector<std::uint64_t> sequences_of(const FrameBatch& batch) {
  std::vector<std::uint64_t> sequences;
  for (const FrameView frame : batch) {
    sequences.push_back(frame.header.sequence);
  }
  return sequences;
}

inline std::vector<std::uint64_t> sequences_of(const std::vector<BufferedBatch>& batches) {
  std::vector<std::uint64_t> sequences;
  for (const BufferedBatch& buffered : batches) {
    std::ranges::copy(sequences_of(buffered.batch), std::back_inserter(sequences));
  }
  return sequences;
}

/// A buffer that notes what it drops.
class Buffer {
 public:
  explicit Buffer(const BufferLimits& limits)
      : buffer_(
            limits,
            [this](DropReason reason, const FrameBatch& batch, std::uint64_t) {
              for (const std::uint64_t sequence : sequences_of(batch)) {
                dropped_.emplace_back(reason, sequence);
              }
            },
            [](const Amount&) { return false; }) {}

  aggregator::FrameBuffer* operator->() { return &buffer_; }

  /// Adds frames of satellite 1, of 20 octets each and what `payload_bytes` says.
  void add(std::uint64_t first, std::uint32_t count, std::size_t payload_bytes = 0) {
    buffer_.add(batch_of_run({1, 1}, first, count, payload_bytes));
  }

  /// Takes `max_frames` in one step.
  aggregator::FrameBuffer::Taken take(std::uint64_t max_frames = any,
                                      std::optional<SatelliteId> satellite = std::nullopt) {
    return buffer_.take({.max_frames = max_frames, .satellite_id = satellite, .max_batches = any});
  }
  std::vector<std::uint64_t> take_sequences(std::uint64_t max_frames = any,
                                            std::optional<SatelliteId> satellite = std::nullopt) {
    return sequences_of(take(max_frames, satellite).batches);
  }

  /// The sequences that were dropped for `reason`, in order.
  [[nodiscard]] std::vector<std::uint64_t> dropped(DropReason reason) const {
    std::vector<std::uint64_t> sequences;
    for (const auto& [why, sequence] : dropped_) {
      if (why == reason) {
        sequences.push_back(sequence);
      }
    }
    return sequences;
  }
  [[nodiscard]] std::size_t all_dropped() const { return dropped_.size(); }

 private:
  std::vector<std::pair<DropReason, std::uint64_t>> dropped_;
  aggregator::FrameBuffer buffer_;
};

inline BufferLimits limits(std::uint64_t max_frames, std::uint64_t max_bytes, WhenFull when_full) {
  return {.max_frames = max_frames, .max_bytes = max_bytes, .when_full = when_full};
}

}  // namespace meridian::test
