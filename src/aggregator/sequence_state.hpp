/// Sequence tracking for one origin.
#pragma once

#include <meridian/frame_batch.hpp>

#include <cstdint>
#include <optional>

namespace meridian::inline v1 {

/// Judges each sequence by its distance d from the last one, modulo the counter's M values:
/// 0 duplicate, 1 in order, 2 to M/2 a gap of d - 1 missing, otherwise late (and the last one
/// stays). Counts; refuses nothing. `missing` ends at its largest value: a few wild jumps of a
/// 64-bit counter get there.
class SequenceState {
 public:
  struct Counts {
    std::uint64_t gaps = 0;
    std::uint64_t missing = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t late = 0;
  };

  SequenceState() = default;

  /// One that was saved.
  SequenceState(std::optional<std::uint64_t> last, const Counts& counts) noexcept
      : last_(last), counts_(counts) {}

  /// A run, in the order of arrival. Takes the same time for any length.
  void observe(const Run& run, SequenceWidth width) noexcept;

  [[nodiscard]] const Counts& counts() const noexcept { return counts_; }
  [[nodiscard]] std::optional<std::uint64_t> last() const noexcept { return last_; }

 private:
  std::optional<std::uint64_t> last_;
  Counts counts_;
};

}  // namespace meridian::inline v1
