/// Batches over what a decoder has found.
#pragma once

#include <meridian/frame_batch.hpp>

#include <cstddef>

namespace meridian::inline v2::frame {

/// A batch of fewer octets is not worth a reference to a slab that others share.
inline constexpr std::size_t least_adopted_bytes = 4 * 1024;

/// A batch over frames in the native layout at the start of `stream`: where they are, or copied
/// into an exact allocation if they are few and fill less than half of the slab.
[[nodiscard]] FrameBatch adopt_or_copy(const SlabRange& stream, std::size_t bytes,
                                       FrameSummary summary, const ReadStamp& stamp);

}  // namespace meridian::inline v2::frame
