#include "sim/sequence_set.hpp"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <limits>

namespace meridian::sim {

namespace {

constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();

/// Whether the range that begins at `next_first` overlaps or touches the one that ends at `last`.
/// REQUIRES: it does not begin before the other one.
bool goes_on(std::uint64_t last, std::uint64_t next_first) {
  return last == largest || next_first <= last + 1;
}

}  // namespace

std::uint64_t SequenceSet::add(SequenceRange range) {
  assert(range.first <= range.last);
  if (!ranges_.empty()) {
    const auto top = std::prev(ranges_.end());
    if (top->second != largest && range.first == top->second + 1) [[likely]] {
      top->second = range.last;
      const std::uint64_t added = range.last - range.first + 1;
      size_ += added;
      return added;
    }
  }
  const std::uint64_t added = count_absent(range);
  size_ += added;
  // Merges `range` with all ranges that it overlaps or touches.
  auto next = ranges_.upper_bound(range.first);
  if (next != ranges_.begin() && goes_on(std::prev(next)->second, range.first)) {
    --next;
    range.first = next->first;
  }
  while (next != ranges_.end() && goes_on(range.last, next->first)) {
    range.last = std::max(range.last, next->second);
    next = ranges_.erase(next);
  }
  ranges_.emplace_hint(next, range.first, range.last);
  return added;
}

std::uint64_t SequenceSet::count_absent(SequenceRange range) const {
  std::uint64_t present = 0;
  for (auto it = at_or_above(range.first); it != ranges_.end() && it->first <= range.last; ++it) {
    present += std::min(range.last, it->second) - std::max(range.first, it->first) + 1;
  }
  return range.last - range.first + 1 - present;
}

SequenceSet::Ranges::const_iterator SequenceSet::at_or_above(std::uint64_t number) const {
  const auto above = ranges_.upper_bound(number);
  if (above != ranges_.begin() && std::prev(above)->second >= number) {
    return std::prev(above);
  }
  return above;
}

std::uint64_t SequenceSet::missing() const {
  return empty() ? 0 : highest() - lowest() + 1 - size_;
}

std::vector<SequenceRange> SequenceSet::holes(std::size_t at_most) const {
  std::vector<SequenceRange> found;
  for (auto it = ranges_.begin(); it != ranges_.end() && found.size() < at_most; ++it) {
    if (const auto next = std::next(it); next != ranges_.end()) {
      found.push_back({.first = it->second + 1, .last = next->first - 1});
    }
  }
  return found;
}

}  // namespace meridian::sim
