#include "aggregator/sequence_state.hpp"

#include <algorithm>
#include <limits>

namespace meridian::inline v2::aggregator {

namespace {

/// The largest distance that is a step forward (M/2), and the largest one that is a gap (M/4), of a
/// counter whose largest sequence is M - 1.
std::uint64_t half_of(std::uint64_t largest) noexcept {
  return largest / 2 + 1;
}
std::uint64_t quarter_of(std::uint64_t largest) noexcept {
  return largest / 4 + 1;
}

std::uint64_t add_up_to_largest(std::uint64_t a, std::uint64_t b) noexcept {
  return a + std::min(b, std::numeric_limits<std::uint64_t>::max() - a);
}

}  // namespace

SequenceState::SequenceState(const SequenceStats& saved) noexcept
    : last_(saved.last_sequence), settled_(static_cast<const SequenceCounts&>(saved)) {
  if (last_ && saved.unsettled.late <= saved.late && saved.unsettled.jumps <= saved.jumps) {
    unsettled_ = saved.unsettled;
    settled_.late -= unsettled_.late;
    settled_.jumps -= unsettled_.jumps;
  }
}

bool SequenceState::observe(const Run& run, SequenceWidth width,
                            std::uint32_t reset_after) noexcept {
  const std::uint64_t mask = largest_sequence(width);
  const std::uint64_t end = (run.first + run.frames - 1) & mask;
  std::uint64_t distance = last_ ? (run.first - *last_) & mask : 1;
  if (distance == 1 && unsettled_.frames() == 0) [[likely]] {
    last_ = end;
    return false;
  }
  if (distance > quarter_of(mask)) {
    if (run.first != unsettled_.next) {
      settle();
    }
    // Frames of the run are wild until their sequence reaches the last one again.
    const std::uint64_t until_last = mask - distance + 1;
    const std::uint64_t wild = std::min<std::uint64_t>(run.frames, until_last);
    if (unsettled_.frames() + wild >= reset_after) {
      unsettled_ = {};
      ++settled_.resets;
      last_ = end;
      return true;
    }
    const std::uint64_t half = half_of(mask);
    const std::uint64_t jumps = distance > half ? 0 : std::min(wild, half - distance + 1);
    unsettled_.jumps += jumps;
    unsettled_.late += wild - jumps;
    unsettled_.next = (run.first + wild) & mask;
    if (wild == run.frames) {
      return true;
    }
    distance = 0;
  }
  settle();
  if (distance == 0) {
    ++settled_.duplicates;
  } else if (distance > 1) {
    settled_.missing = add_up_to_largest(settled_.missing, distance - 1);
    ++settled_.gaps;
  }
  last_ = end;
  return true;
}

void SequenceState::settle() noexcept {
  settled_.late += unsettled_.late;
  settled_.jumps += unsettled_.jumps;
  unsettled_ = {};
}

SequenceStats SequenceState::stats() const noexcept {
  SequenceStats stats{settled_, last_, unsettled_};
  stats.late += unsettled_.late;
  stats.jumps += unsettled_.jumps;
  return stats;
}

}  // namespace meridian::inline v2::aggregator
