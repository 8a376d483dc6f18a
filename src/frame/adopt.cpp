#include "frame/adopt.hpp"

#include <utility>

namespace meridian::inline v2::frame {

FrameBatch adopt_or_copy(const SlabRange& stream, std::size_t bytes, FrameSummary summary,
                         const ReadStamp& stamp) {
  SlabRange range = stream;
  range.octets = stream.octets.first(bytes);
  if (bytes < least_adopted_bytes && bytes < stream.slab_bytes / 2) {
    range = copy_to_slab(range.octets);
  }
  return FrameBatch(std::move(range), std::move(summary), stamp);
}

}  // namespace meridian::inline v2::frame
