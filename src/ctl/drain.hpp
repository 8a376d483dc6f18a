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
  std::optional<std::uint64_t> max_frames;  ///< no value: until the buffer is empty
  std::optional<SatelliteId> satellite_id;
  FrameFormat format = FrameFormat::table;
  std::string output;  ///< a file; "" is the standard output
  runtime::WhenThere when_there = runtime::WhenThere::refuse;
  /// No value: the daemon lets go of frames once it has sent them.
  std::optional<std::chrono::seconds> lease = std::chrono::seconds(60);
};

/// Drains in portions of at most 1,000 frames, or 200,000 in binary, and writes the frames. Returns
/// how many there were. Throws std::runtime_error if the output or the connection fails, or if
/// frames would be appended to a file that ends in the middle of one: see `require_whole_end`.
///
/// With a lease, nothing is lost. A portion is committed only once the output is flushed; for a
/// file, only once the file and its name are on the device. If that takes longer than the lease,
/// `drain` throws, and the next drain gets the portion again. A portion that cannot be written
/// completely is removed from a file again, even if SIGINT, SIGTERM or SIGHUP ends the process.
/// Without a lease, a portion that cannot be written is lost.
std::uint64_t drain(Client& client, const DrainOptions& options);

}  // namespace meridian::ctl
