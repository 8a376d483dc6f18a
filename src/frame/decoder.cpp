#include "frame/decoder.hpp"

#include <algorithm>
#include <utility>

namespace meridian {

FrameBatch adopt_or_copy(const SlabRange& stream, std::size_t bytes, std::uint32_t frames,
                         std::vector<Run> runs, const ReadStamp& stamp) {
  SlabRange range = stream;
  range.octets = stream.octets.first(bytes);
  if (bytes < stream.slab_bytes / 2) {
    range = copy_to_slab(range.octets);
  }
  return FrameBatch(std::move(range), frames, std::move(runs), stamp);
}

}  // namespace meridian
