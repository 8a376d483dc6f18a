/// Frames that were taken out of the buffer, and the queries that choose them.
///
/// Stable: see <meridian/version.hpp>.
#pragma once

#include <meridian/amount.hpp>
#include <meridian/frame.hpp>
#include <meridian/frame_batch.hpp>
#include <meridian/positions.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace meridian::inline v2 {

/// A batch that is, or was, in the buffer. `place` is the place of its first frame. The place
/// orders the batch among all others, so that the batch can be put back.
struct BufferedBatch {
  std::uint64_t place = 0;
  FrameBatch batch;

  [[nodiscard]] PlaceRange places() const noexcept { return {place, batch.frames()}; }
};

/// Which frames to drain, oldest first.
struct DrainQuery {
  std::uint64_t max_frames = 0;
  std::optional<SatelliteId> satellite_id{};  ///< nothing: of all satellites
};

/// Frames that have been taken out of the buffer.
struct Drained {
  std::vector<BufferedBatch> batches;
  Amount taken;                 ///< what `batches` holds
  std::uint64_t remaining = 0;  ///< frames left in the buffer
};

/// Identifies a lease. The ids count up, and an aggregator never uses one twice.
using LeaseId = std::uint64_t;

/// Which frames to lease, oldest first, and for how long.
struct LeaseQuery {
  std::uint64_t max_frames = 0;
  std::optional<SatelliteId> satellite_id{};  ///< nothing: of all satellites
  std::chrono::steady_clock::duration duration{};
};

struct Leased {
  std::optional<LeaseId> id;  ///< nothing: there was no frame to take, and there is no lease
  Drained frames;             ///< a second reference to what the aggregator keeps aside
};

}  // namespace meridian::inline v2
