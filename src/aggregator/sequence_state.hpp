/// Sequence tracking for one origin.
#pragma once

#include <meridian/frame_batch.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace meridian {

/// Judges each sequence by its distance d from the last one, modulo the counter's M values:
/// 0 duplicate, 1 in order, 2 to M/2 a gap of d - 1 missing, otherwise late (and the last one
/// stays). Counts; refuses nothing.
class SequenceState {
 public:
  struct Counts {
    std::uint64_t gaps = 0;
    std::uint64_t missing = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t late = 0;
  };

  /// A run that was received and kept, in the order of arrival. Takes the same time for any length.
  void observe(const Run& run, SequenceWidth width);

  /// A run that was received but given up on the way, perhaps before earlier frames arrived here.
  /// What it covers will not count as missing when the next frame seems to skip it.
  void excuse(const Run& run);

  [[nodiscard]] const Counts& counts() const noexcept { return counts_; }
  [[nodiscard]] std::optional<std::uint64_t> last() const noexcept { return last_; }

 private:
  struct Excused {
    std::uint64_t first;
    std::uint64_t frames;
  };
  /// More pieces than this are not remembered, so that state stays bounded: the oldest counts as
  /// missing then.
  static constexpr std::size_t max_excused = 16;

  void judge(const Run& run, std::uint64_t mask);

  /// How many of the sequences last + 1 … last + distance - 1 are excused.
  [[nodiscard]] std::uint64_t excused_before(std::uint64_t distance, std::uint64_t mask) const;

  /// Forgets what is not ahead of the last one: after a roll-over it would seem to be.
  void forget_passed(std::uint64_t mask);

  std::optional<std::uint64_t> last_;
  Counts counts_;
  std::vector<Excused> excused_;
};

}  // namespace meridian
