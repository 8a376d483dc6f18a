/// Sets of places in the buffer.
#pragma once

#include <meridian/positions.hpp>

#include <boost/icl/interval_set.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace meridian::inline v2::aggregator {

/// A set of places, kept as ranges that do not touch. Its cost depends on the number of ranges
/// alone.
class PlaceSet {
 public:
  void add(const PlaceRange& range) {
    if (range.frames > 0) {
      set_.add(interval(range));
    }
  }

  /// Takes a range away. Returns how many of its places were in the set.
  std::uint64_t remove(const PlaceRange& range) {
    const std::uint64_t common = count_in(range);
    if (common > 0) {
      set_.erase(interval(range));
    }
    return common;
  }

  /// How many places of a range are in the set.
  [[nodiscard]] std::uint64_t count_in(const PlaceRange& range) const {
    std::uint64_t count = 0;
    const auto [begin, end] = set_.equal_range(interval(range));
    for (auto each = begin; each != end; ++each) {
      count += std::min(each->upper(), range.end()) - std::max(each->lower(), range.first);
    }
    return count;
  }

  [[nodiscard]] bool intersects(const PlaceRange& range) const {
    return range.frames > 0 && set_.find(interval(range)) != set_.end();
  }

  [[nodiscard]] bool empty() const { return set_.empty(); }

  /// The first range. Nothing if the set is empty.
  [[nodiscard]] std::optional<PlaceRange> first() const {
    if (set_.empty()) {
      return std::nullopt;
    }
    return PlaceRange{set_.begin()->lower(), set_.begin()->upper() - set_.begin()->lower()};
  }

  /// The place after the last one; 0 if the set is empty.
  [[nodiscard]] std::uint64_t end() const { return set_.empty() ? 0 : set_.rbegin()->upper(); }

  /// All ranges, in order.
  [[nodiscard]] std::vector<PlaceRange> ranges() const {
    std::vector<PlaceRange> all;
    for (const Interval& each : set_) {
      all.push_back({each.lower(), each.upper() - each.lower()});
    }
    return all;
  }

 private:
  using Interval = boost::icl::right_open_interval<std::uint64_t>;

  static Interval interval(const PlaceRange& range) { return {range.first, range.end()}; }

  boost::icl::interval_set<std::uint64_t, std::less, Interval> set_;
};

}  // namespace meridian::inline v2::aggregator
