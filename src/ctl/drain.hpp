/// `meridianctl drain`.
#pragma once

#include "ctl/client.hpp"
#include "ctl/frames.hpp"
#include "runtime/output_file.hpp"

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
  std::string output;  ///< a file; "" is the standard output
  runtime::WhenThere when_there = runtime::WhenThere::refuse;
  /// Nothing: the daemon releases frames at once.
  std::optional<std::chrono::seconds> lease = std::chrono::seconds(60);
};

/// Drains in portions and writes the frames. Returns how many there were. Throws std::runtime_error
/// if the output or the connection fails. Nothing is lost then: each portion (at most 1,000 frames,
/// 200,000 in binary) is committed only once the output is flushed, and for a file only once it and
/// its name are on the device. If that takes longer than the lease, it ends in an error, and the
/// portion comes again with the next drain. A portion that could not be written completely is
/// removed from a file again, also if SIGINT, SIGTERM or SIGHUP ends the process. Without a lease,
/// a portion that cannot be written is lost. Nothing is appended to a file that ends in the middle
/// of a frame.
std::uint64_t drain(Client& client, const DrainOptions& options);

}  // namespace meridian::ctl
