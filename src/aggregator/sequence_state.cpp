#include "aggregator/sequence_state.hpp"

#include <algorithm>

namespace meridian {

namespace {

/// M - 1, where M is how many values the counter has.
std::uint64_t mask_of(SequenceWidth width) noexcept {
  return width == SequenceWidth::bits14 ? 0x3FFF : ~std::uint64_t{0};
}

/// M/2, the largest distance that is a step forward.
std::uint64_t half_of(std::uint64_t mask) noexcept {
  return mask / 2 + 1;
}

}  // namespace

void SequenceState::observe(const Run& run, SequenceWidth width) {
  const std::uint64_t mask = mask_of(width);
  judge(run, mask);
  if (!excused_.empty()) {
    forget_passed(mask);
  }
}

void SequenceState::judge(const Run& run, std::uint64_t mask) {
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
    const std::uint64_t missing = distance - 1 - excused_before(distance, mask);
    counts_.missing += missing;
    counts_.gaps += missing > 0 ? 1 : 0;
  }
  last_ = end;
}

void SequenceState::excuse(const Run& run) {
  if (!excused_.empty() && excused_.back().first + excused_.back().frames == run.first) {
    excused_.back().frames += run.frames;
    return;
  }
  if (excused_.size() == max_excused) {
    excused_.erase(excused_.begin());
  }
  excused_.push_back({.first = run.first, .frames = run.frames});
}

std::uint64_t SequenceState::excused_before(std::uint64_t distance, std::uint64_t mask) const {
  std::uint64_t covered = 0;
  for (const Excused& piece : excused_) {
    const std::uint64_t ahead = (piece.first - *last_) & mask;
    if (ahead < distance) {
      covered += std::min(piece.frames, distance - ahead);
    }
  }
  return std::min(covered, distance - 1);
}

void SequenceState::forget_passed(std::uint64_t mask) {
  std::erase_if(excused_, [&](const Excused& piece) {
    const std::uint64_t ahead = (piece.first - *last_) & mask;
    return ahead == 0 || ahead > half_of(mask);
  });
}

}  // namespace meridian
