#include "sim/sequence_check.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

namespace meridian::sim {

bool SequenceCheck::take_place(std::uint64_t place) {
  return places_.add({.first = place, .last = place}) == 1;
}

void SequenceCheck::add(std::uint64_t place, const Run& run) {
  if (run.frames == 0) {
    return;
  }
  Seen& seen = origins_[run.origin];
  seen.frames += run.frames;
  frames_ += run.frames;
  // A counter that rolls over begins again at 0.
  constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t before_end = std::min<std::uint64_t>(run.frames - 1, largest - run.first);
  add_range(place, seen, {.first = run.first, .last = run.first + before_end});
  if (before_end < run.frames - 1) {
    add_range(place, seen, {.first = 0, .last = run.frames - before_end - 2});
  }
}

void SequenceCheck::add_range(std::uint64_t place, Seen& seen, SequenceRange range) {
  distinct_ += seen.sequences.add(range);
  const auto behind = std::ranges::upper_bound(seen.stretches, place, {}, &Stretch::first_place);
  if (behind != seen.stretches.begin()) {
    Stretch& before = *std::prev(behind);
    const bool follows = range.first != 0 && before.sequences.last == range.first - 1;
    if (follows && places_.covers({.first = before.last_place, .last = place})) {
      before.last_place = place;
      before.sequences.last = range.last;
      return;
    }
  }
  seen.stretches.insert(behind, {.first_place = place, .last_place = place, .sequences = range});
}

std::uint64_t SequenceCheck::count_out_of_order(const std::vector<Stretch>& stretches) {
  std::uint64_t count = 0;
  SequenceSet before;
  for (const Stretch& stretch : stretches) {
    SequenceRange below = stretch.sequences;
    if (!before.empty() && below.first < before.highest()) {
      below.last = std::min(below.last, before.highest() - 1);
      count += before.count_absent(below);
    }
    before.add(stretch.sequences);
  }
  return count;
}

std::vector<OriginReport> SequenceCheck::report() const {
  std::vector<OriginReport> reports;
  reports.reserve(origins_.size());
  for (const auto& [origin, seen] : origins_) {
    reports.push_back({.origin = origin,
                       .frames = seen.frames,
                       .missing = seen.sequences.missing(),
                       .repeated = seen.frames - seen.sequences.size(),
                       .out_of_order = count_out_of_order(seen.stretches),
                       .lowest = seen.sequences.lowest(),
                       .highest = seen.sequences.highest(),
                       .holes = seen.sequences.holes(most_holes)});
  }
  return reports;
}

}  // namespace meridian::sim
