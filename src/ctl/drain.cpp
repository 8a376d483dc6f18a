#include "ctl/drain.hpp"

#include "ctl/output.hpp"

#include <algorithm>
#include <limits>
#include <span>
#include <string_view>

namespace meridian::ctl {

namespace {

using Json = control::Client::Json;

/// Frames in one request: what could be lost if the output fails, and what stands in memory as
/// text.
constexpr std::uint64_t json_portion = 1'000;
constexpr std::uint64_t binary_portion = 200'000;

/// One request. Returns how many frames came.
std::uint64_t drain_portion(control::Client& client, const DrainOptions& options,
                            std::uint64_t max_frames, Output& output) {
  Json params = {{"max_frames", max_frames}};
  if (options.satellite_id) {
    params["satellite_id"] = *options.satellite_id;
  }
  if (options.format == FrameFormat::binary) {
    const auto write = [&output](std::span<const std::byte> octets) { output.write(octets); };
    const Json result = client.drain_binary(std::move(params), write);
    return result.at("frames").get<std::uint64_t>();
  }
  const Json result = client.call("drain", params);
  const Json& frames = result.at("frames");
  output.write(text_of(frames, options.format));
  return frames.size();
}

}  // namespace

std::uint64_t drain(control::Client& client, const DrainOptions& options) {
  Output output(options.output);  // before anything is drained
  const std::uint64_t portion =
      options.format == FrameFormat::binary ? binary_portion : json_portion;
  const std::uint64_t wanted =
      options.max_frames.value_or(std::numeric_limits<std::uint64_t>::max());
  std::uint64_t drained = 0;
  while (drained < wanted) {
    const std::uint64_t frames =
        drain_portion(client, options, std::min(portion, wanted - drained), output);
    output.flush();
    if (frames == 0) {
      break;
    }
    drained += frames;
  }
  return drained;
}

}  // namespace meridian::ctl
