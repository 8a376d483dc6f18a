#include "frame/decoder.hpp"

#include <algorithm>
#include <utility>

namespace meridian {

FrameBatch adopt_or_copy(const SlabRange& stream, std::size_t bytes, std::uint32_t frames,
                         std::vector<Run> runs, const ReadStamp& stamp) {
  const std::span<const std::byte> octets = stream.octets.first(bytes);
  if (bytes >= stream.slab_bytes / 2) {
    return FrameBatch(stream.slab, octets, frames, std::move(runs), stamp);
  }
  auto exact = std::make_shared_for_overwrite<std::byte[]>(bytes);
  std::ranges::copy(octets, exact.get());
  const std::span<const std::byte> copied(exact.get(), bytes);
  return FrameBatch(std::move(exact), copied, frames, std::move(runs), stamp);
}

}  // namespace meridian
