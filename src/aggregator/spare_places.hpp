/// Which batches may make room for others.
#pragma once

#include "aggregator/frame_buffer.hpp"

#include <meridian/positions.hpp>

#include <cstdint>
#include <optional>
#include <set>

namespace meridian::inline v2::aggregator {

/// The places of batches that can be spared, so that no search for one is needed. A batch may have
/// changed since it was noted. So it is checked again when its turn comes, and forgotten if it
/// cannot be spared. The event after which it can be spared notes it again.
///
/// Not thread-safe: owned by the aggregator.
class SparePlaces {
 public:
  void note(std::uint64_t place) { places_.insert(place); }

  /// Frames have left the buffer for good.
  void forget(const PlaceRange& range) {
    places_.erase(places_.lower_bound(range.first), places_.lower_bound(range.end()));
  }

  /// The oldest batch that can be spared, as `is_spare(range)` says. If a part of a noted batch has
  /// gone, this looks at the next batch, which may be the rest.
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
