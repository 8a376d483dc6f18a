#include "aggregator/sequence_state.hpp"

#include <algorithm>
#include <limits>

namespace meridian::inline v1 {

namespace {

/// M/2, the largest distance that is a step forward, where M - 1 is the largest sequence.
std::uint64_t half_of(std::uint64_t largest) noexcept {
  return largest / 2 + 1;
}

std::uint64_t add_up_to_largest(std::uint64_t a, std::uint64_t b) noexcept {
  return a + std::min(b, std::numeric_limits<std::uint64_t>::max() - a);
}

}  // namespace

void SequenceState::observe(const Run& run, SequenceWidth width) noexcept {
  const std::uint64_t mask = largest_sequence(width);
  const std::uint64_t end = (run.first + run.frames - 1) & mask;
  if (!last_) {
    last_ = end;
    return;
  }
  const std::uint64_t distance = (run.first - *last_) & mask;
  std::uint64_t frames = run.frames;
  if (distance > half_of(mask)) {
    // Behind: late up to the last one seen, which is then met again.
    const std::uint64_t behind = mask - distance + 1;
    const std::uint64_t late = std::min(frames, behind);
    counts_.late += late;
    frames -= late;
    if (frames == 0) {
      return;
    }
    ++counts_.duplicates;
  } else if (distance == 0) {
    ++counts_.duplicates;
  } else if (distance > 1) {
    counts_.missing = add_up_to_largest(counts_.missing, distance - 1);
    ++counts_.gaps;
  }
  last_ = end;
}

}  // namespace meridian::inline v1
