#include "aggregator/batch_parts.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace meridian::inline v2::aggregator {

std::uint32_t leading_frames_up_to(const FrameBatch& batch, std::uint64_t max_bytes) {
  if (batch.bytes() <= max_bytes) {
    return batch.frames();
  }
  if (batch.frame_bytes() != 0) {
    return batch.frame_bytes() <= max_bytes ? batch.frames() : 0;
  }
  std::uint32_t count = 0;
  for (const FrameView frame : batch) {
    if (frame.octets.size() > max_bytes) {
      break;
    }
    ++count;
  }
  return count;
}

std::uint32_t leading_frames_above(const FrameBatch& batch, std::uint64_t max_bytes) {
  std::uint32_t count = 0;
  for (const FrameView frame : batch) {
    if (frame.octets.size() <= max_bytes) {
      break;
    }
    ++count;
  }
  return count;
}

FrameBatch take_front(FrameBatch& batch, std::uint32_t count) {
  return count == batch.frames() ? std::move(batch) : batch.split_front(count);
}

Wanted wanted_of(FrameBatch& batch, std::optional<SatelliteId> satellite_id) {
  if (!satellite_id) {
    return Wanted::all;
  }
  if (const Run* const run = batch.only_run()) {
    return run->origin.satellite_id == *satellite_id ? Wanted::all : Wanted::none;
  }
  const std::span<const SatelliteId> satellites = batch.satellites();
  if (!std::ranges::binary_search(satellites, *satellite_id)) {
    return Wanted::none;
  }
  return satellites.size() == 1 ? Wanted::all : Wanted::some;
}

WantedFrames count_wanted(FrameBatch& batch, std::optional<SatelliteId> satellite_id,
                          std::uint64_t max_frames, std::uint64_t max_bytes) {
  if (wanted_of(batch, satellite_id) == Wanted::all) {
    return {.all = batch.frames(), .within = batch.leading_frames_within(max_frames, max_bytes)};
  }
  WantedFrames count;
  std::uint64_t bytes = 0;
  for (const FrameView frame : batch) {
    if (frame.header.origin.satellite_id == *satellite_id) {
      bytes += frame.octets.size();
      ++count.all;
      if (count.all <= max_frames && bytes <= max_bytes) {
        count.within = count.all;
      }
    }
  }
  return count;
}

std::vector<std::uint32_t> stretches_of(const FrameBatch& batch, SatelliteId satellite_id,
                                        std::uint64_t room) {
  std::vector<std::uint32_t> lengths;
  bool of_satellite = false;
  bool is_rest = false;
  std::uint64_t wanted = 0;
  batch.for_each_run([&](const Run& run) {
    const bool is = run.origin.satellite_id == satellite_id;
    if (lengths.empty() || (is != of_satellite && !is_rest)) {
      is_rest = wanted >= room;
      lengths.push_back(0);
    }
    of_satellite = is;
    wanted += is ? run.frames : 0;
    lengths.back() += run.frames;
  });
  return lengths;
}

FrameBatch sort_out(FrameBatch& mixed, SatelliteId satellite_id, std::uint64_t room) {
  std::uint64_t count = 0;
  return mixed.take_if([&](const FrameView& frame) {
    const bool takes = count < room && frame.header.origin.satellite_id == satellite_id;
    count += takes ? 1 : 0;
    return takes;
  });
}

}  // namespace meridian::inline v2::aggregator
