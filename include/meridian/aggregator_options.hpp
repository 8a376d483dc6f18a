/// The options of an aggregator.
///
/// Stable: see <meridian/version.hpp>.
#pragma once

#include <meridian/positions.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace meridian::inline v2 {

/// What the buffer does with a frame that does not fit.
enum class WhenFull : std::uint8_t {
  drop_oldest,   ///< makes room by dropping the oldest frames
  drop_newest,   ///< drops the frame
  backpressure,  ///< leaves it in the channel until there is room, after a drain for example
};

struct BufferLimits {
  std::uint64_t max_frames = 1'000'000;
  std::uint64_t max_bytes = 268'435'456;  ///< octets of frames, headers included
  WhenFull when_full = WhenFull::drop_oldest;
};

/// How many late frames or jumps in a row mean that a counter has started over: see SequenceCounts.
inline constexpr std::uint32_t default_reset_after = 8;

struct AggregatorOptions {
  std::size_t channel_capacity = 128;  ///< batches, at least 1
  BufferLimits buffer{};
  std::size_t max_tracked = 65'536;  ///< origins tracked one by one; the others are summed
  std::uint32_t reset_after = default_reset_after;  ///< at least 2
  std::vector<ConsumerOptions> consumers{};         ///< their names must differ
};

}  // namespace meridian::inline v2
