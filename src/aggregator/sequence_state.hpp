/// Sequence tracking for one counter: that of an origin's live frames, or of its stored ones.
#pragma once

#include <meridian/aggregator.hpp>
#include <meridian/frame_batch.hpp>

#include <cstdint>
#include <optional>

namespace meridian::inline v1 {

/// Judges each sequence by its distance d from the last one, modulo the counter's M values:
/// 0 duplicate, 1 in order, 2 to M/4 a gap of d - 1 missing. What is farther ahead, to M/2, is a
/// jump, and otherwise it is late: such a frame is wild, and the last one stays. Wild frames of
/// which each follows the one before by one are a counter that has begun anew, once there are
/// `reset_after` of them without another frame between: the last one is taken from them, and they
/// are neither late nor jumps. Until that is settled they count as what they seem to be.
///
/// Counts; refuses nothing. `missing` ends at its largest value: a few gaps of a 64-bit counter get
/// there.
class SequenceState {
 public:
  SequenceState() = default;

  /// One that was saved.
  explicit SequenceState(const SequenceStats& saved) noexcept;

  /// A run, in the order of arrival. Takes the same time for any length. True where `settled` may
  /// have changed.
  bool observe(const Run& run, SequenceWidth width, std::uint32_t reset_after) noexcept;

  /// What is known now, unsettled frames included. A reset takes those back.
  [[nodiscard]] SequenceStats stats() const noexcept;

  /// Counts that never fall: without unsettled frames.
  [[nodiscard]] const SequenceCounts& settled() const noexcept { return settled_; }

 private:
  /// The counter has not begun anew.
  void settle() noexcept;

  std::optional<std::uint64_t> last_;
  SequenceCounts settled_;
  UnsettledFrames unsettled_;
};

}  // namespace meridian::inline v1
