/// `meridianctl drain`.
#pragma once

#include "control/client.hpp"
#include "ctl/frames.hpp"

#include <meridian/frame.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace meridian::ctl {

struct DrainOptions {
  std::optional<std::uint64_t> max_frames;  ///< nothing: until the buffer is empty
  std::optional<SatelliteId> satellite_id;
  FrameFormat format = FrameFormat::table;
  std::string output;                           ///< a file; "" is the standard output
  std::optional<std::chrono::seconds> lease{};  ///< nothing: the daemon lets go of frames at once
};

/// Drains in portions and writes the frames. Returns how many there were. Throws
/// std::runtime_error where the output or the connection fails; what was drained in that portion
/// (at most 1,000 frames, 200,000 in binary) and not written is lost then. With a lease it is not:
/// each portion is committed once the output is flushed, a file also to its device; a portion for
/// which that takes longer than the lease ends in an error, and comes again with the next drain.
std::uint64_t drain(control::Client& client, const DrainOptions& options);

}  // namespace meridian::ctl
