/// Sequence tracking for one counter: that of an origin's live frames, or of its stored ones.
#pragma once

#include <meridian/aggregator.hpp>
#include <meridian/frame_batch.hpp>

#include <cstdint>
#include <optional>

namespace meridian::inline v2::aggregator {

/// Judges each sequence by its distance d from the last one, modulo the counter's M values: 0
/// duplicate, 1 in order, 2 to M/4 a gap of d - 1 missing. A frame farther ahead, up to M/2, is a
/// jump, and any other is late. Both are wild: they do not become the last one. If `reset_after`
/// wild frames come in a row, each with the sequence that follows the one before, the counter has
/// started over. The newest of them then becomes the last one, and none of them counts as late or
/// as a jump. Until that is settled, they count as late or as jumps.
///
/// Only counts, and refuses nothing. `missing` stops at its largest value, which a few gaps of a
/// 64-bit counter can reach.
class SequenceState {
 public:
  SequenceState() = default;

  /// Restores a saved one.
  explicit SequenceState(const SequenceStats& saved) noexcept;

  /// Judges a run; runs come in the order of arrival. Takes the same time for any length. True if
  /// `settled` may have changed.
  bool observe(const Run& run, SequenceWidth width, std::uint32_t reset_after) noexcept;

  /// What is known now, including unsettled frames. A reset takes back what these added.
  [[nodiscard]] SequenceStats stats() const noexcept;

  /// Counts that never fall: without unsettled frames.
  [[nodiscard]] const SequenceCounts& settled() const noexcept { return settled_; }

 private:
  /// The counter has not started over: counts the unsettled frames for good.
  void settle() noexcept;

  std::optional<std::uint64_t> last_;
  SequenceCounts settled_;
  UnsettledFrames unsettled_;
};

}  // namespace meridian::inline v2::aggregator
