/// `meridianctl tail`.
#pragma once

#include "ctl/client.hpp"
#include "ctl/frames.hpp"
#include "runtime/output_file.hpp"

#include <meridian/frame.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace meridian::ctl {

struct TailOptions {
  std::optional<SatelliteId> satellite_id;
  std::optional<ChannelId> channel_id;
  std::optional<std::uint64_t> max_frames;  ///< no value: until the process is interrupted
  FrameFormat format = FrameFormat::table;
  std::string output;  ///< a file; "" is the standard output
  runtime::WhenThere when_there = runtime::WhenThere::refuse;
};

struct TailEnd {
  std::uint64_t frames = 0;
  std::uint64_t lost = 0;
};

/// Writes frames as they reach the daemon. Calls `on_lost` with the number of frames that are lost
/// because this client is too slow. Throws std::runtime_error if the output or the connection
/// fails.
TailEnd tail(Client& client, const TailOptions& options,
             const std::function<void(std::uint64_t)>& on_lost);

}  // namespace meridian::ctl
