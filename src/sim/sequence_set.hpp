/// Numbers that have been seen, kept as ranges.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace meridian::sim {

/// The numbers first, first + 1, …, last.
struct SequenceRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;

  friend bool operator==(const SequenceRange&, const SequenceRange&) = default;
};

/// A set of sequences, or of other numbers that mostly follow each other.
///
/// Bounds: memory for each range between two holes, however many numbers are in it. Adding a range
/// takes one comparison if it continues the highest range. Otherwise it takes a time that grows
/// with the logarithm of the number of ranges. Not thread-safe.
class SequenceSet {
 public:
  /// Adds a range, and returns how many of its numbers were not in the set before. REQUIRES: first
  /// is not above last.
  std::uint64_t add(SequenceRange range);

  /// How many numbers of a range are not in the set.
  [[nodiscard]] std::uint64_t count_absent(SequenceRange range) const;
  [[nodiscard]] bool covers(SequenceRange range) const { return count_absent(range) == 0; }

  [[nodiscard]] bool empty() const noexcept { return ranges_.empty(); }
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

  /// REQUIRES, for both: the set is not empty.
  [[nodiscard]] std::uint64_t lowest() const { return ranges_.begin()->first; }
  [[nodiscard]] std::uint64_t highest() const { return ranges_.rbegin()->second; }

  /// How many numbers between the lowest and the highest are not in the set.
  [[nodiscard]] std::uint64_t missing() const;
  /// The lowest holes, at most `at_most`.
  [[nodiscard]] std::vector<SequenceRange> holes(std::size_t at_most) const;

 private:
  using Ranges = std::map<std::uint64_t, std::uint64_t>;  // last by first; ranges do not touch

  /// The range that has the number, or else the first range above it.
  [[nodiscard]] Ranges::const_iterator at_or_above(std::uint64_t number) const;

  Ranges ranges_;
  std::uint64_t size_ = 0;
};

}  // namespace meridian::sim
