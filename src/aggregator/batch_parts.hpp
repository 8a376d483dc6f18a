/// Which frames of a batch fit, and which of them a drain wants.
#pragma once

#include <meridian/frame_batch.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace meridian::inline v2::aggregator {

/// How many leading frames have at most `max_bytes` octets each.
[[nodiscard]] std::uint32_t leading_frames_up_to(const FrameBatch& batch, std::uint64_t max_bytes);

/// How many leading frames have more than `max_bytes` octets each.
[[nodiscard]] std::uint32_t leading_frames_above(const FrameBatch& batch, std::uint64_t max_bytes);

/// Takes the first `count` frames out of a batch. If these are all, nothing is left in `batch`.
[[nodiscard]] FrameBatch take_front(FrameBatch& batch, std::uint32_t count);

/// Which frames of a batch a drain wants.
enum class Wanted : std::uint8_t { none, some, all };

/// Walks the batch only if its satellites are not known yet (see `is_known`). The batch then
/// remembers them.
[[nodiscard]] Wanted wanted_of(FrameBatch& batch, std::optional<SatelliteId> satellite_id);

/// Whether `wanted_of` can answer without a walk.
[[nodiscard]] inline bool is_known(const FrameBatch& batch,
                                   std::optional<SatelliteId> satellite_id) noexcept {
  return !satellite_id || batch.only_run() != nullptr || batch.knows_satellites();
}

/// How many frames of a batch a drain wants, and how many of these, from the first on, stay within
/// both bounds.
struct WantedFrames {
  std::uint64_t all = 0;
  std::uint64_t within = 0;
};
[[nodiscard]] WantedFrames count_wanted(FrameBatch& batch, std::optional<SatelliteId> satellite_id,
                                        std::uint64_t max_frames, std::uint64_t max_bytes);

/// Divides a batch into stretches whose frames are either all of the satellite, or all of others.
/// Returns the lengths. Once the stretches hold `room` (at least 1) frames of the satellite, one
/// last stretch covers all the rest.
[[nodiscard]] std::vector<std::uint32_t> stretches_of(const FrameBatch& batch,
                                                      SatelliteId satellite_id, std::uint64_t room);

/// Takes the first `room` frames (at least 1) of a satellite out of a batch that also has frames of
/// others. This is the only case in which buffered octets are copied frame by frame. The places of
/// a batch must not have holes. So the frames taken get its first places, and are there if they are
/// put back.
[[nodiscard]] FrameBatch sort_out(FrameBatch& mixed, SatelliteId satellite_id, std::uint64_t room);

}  // namespace meridian::inline v2::aggregator
