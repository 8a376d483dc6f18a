/// Makes batches out of the frames that a decoder has found.
#pragma once

#include <meridian/frame_batch.hpp>

#include <cstddef>

namespace meridian::inline v2::frame {

/// A batch of fewer octets is not worth a reference to a slab that others share.
inline constexpr std::size_t least_adopted_bytes = 4 * 1024;

/// A batch of the frames in the first `bytes` octets of `stream`, which are in the native layout.
/// Refers to them where they are. If they are fewer octets than `least_adopted_bytes` and less than
/// half of the slab, copies them into an exact allocation.
[[nodiscard]] FrameBatch adopt_or_copy(const SlabRange& stream, std::size_t bytes,
                                       FrameSummary summary, const ReadStamp& stamp);

}  // namespace meridian::inline v2::frame
