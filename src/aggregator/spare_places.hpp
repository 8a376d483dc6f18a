/// Which batches may make room for others.
#pragma once

#include "aggregator/frame_buffer.hpp"

#include <meridian/positions.hpp>

#include <cstdint>
#include <optional>
#include <set>

namespace meridian::inline v2::aggregator {

/// Places at which a batch was found to be dispensable, so that no search for one is needed. A
/// batch may have changed since it was noted. It is therefore checked again when its turn comes,
/// and forgotten if it is not dispensable: what makes it so later notes it again.
///
/// Not thread-safe: owned by the aggregator.
class SparePlaces {
 public:
  void note(std::uint64_t place) { places_.insert(place); }

  /// These have left the buffer for good.
  void forget(const PlaceRange& range) {
    places_.erase(places_.lower_bound(range.first), places_.lower_bound(range.end()));
  }

  /// The oldest batch that is dispensable as `is_spare(range)` says. A part of what stood at a
  /// place may have gone: then the rest of it is looked at.
  template <typename IsSpare>
  [[nodiscard]] std::optional<std::uint64_t> oldest(const FrameBuffer& buffer, IsSpare is_spare) {
    while (!places_.empty()) {
      const auto entry = buffer.find_from(*places_.begin());
      if (entry && is_spare(entry->places())) {
        return entry->place;
      }
      places_.erase(places_.begin());
    }
    return std::nullopt;
  }

 private:
  std::set<std::uint64_t> places_;
};

}  // namespace meridian::inline v2::aggregator
