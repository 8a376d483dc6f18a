/// `meridianctl drain`.
#pragma once

#include "control/client.hpp"
#include "ctl/frames.hpp"

#include <meridian/frame.hpp>

#include <cstdint>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <string>

namespace meridian::ctl {

struct DrainOptions {
  std::optional<std::uint64_t> max_frames;  ///< nothing: until the buffer is empty
  std::optional<SatelliteId> satellite_id;
  FrameFormat format = FrameFormat::table;
  std::string output;  ///< a file; "" is the standard output
};

/// Drains in portions and writes the frames. Returns how many there were. Throws
/// std::runtime_error where the output or the connection fails; what was drained in that portion
/// (at most 10,000 frames, 200,000 in binary) and not written is lost then.
std::uint64_t drain(control::Client& client, const DrainOptions& options);

}  // namespace meridian::ctl
