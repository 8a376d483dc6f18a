#include "ctl/drain.hpp"

#include "ctl/whole_end.hpp"
#include "runtime/output.hpp"

#include <algorithm>
#include <limits>
#include <span>
#include <string_view>
#include <tuple>

namespace meridian::ctl {

namespace {

using Json = Client::Json;

/// The most frames in one request. This limits how many frames could be lost if the output fails,
/// and how much text is in memory.
constexpr std::uint64_t json_portion = 1'000;
constexpr std::uint64_t binary_portion = 200'000;

struct Portion {
  std::uint64_t frames = 0;
  Json lease = nullptr;
};

/// Makes one request and writes its frames to `output`.
Portion drain_portion(Client& client, const DrainOptions& options, std::uint64_t max_frames,
                      runtime::Output& output) {
  Json params = {{"max_frames", max_frames}};
  if (options.satellite_id) {
    params["satellite_id"] = *options.satellite_id;
  }
  if (options.lease) {
    params["lease_s"] = options.lease->count();
  }
  if (options.format == FrameFormat::binary) {
    const auto write = [&output](std::span<const std::byte> octets) { output.write(octets); };
    const Json result = client.drain_binary(std::move(params), write);
    return {result.at("frames").get<std::uint64_t>(), result.value("lease", Json(nullptr))};
  }
  const Json result = client.call("drain", params);
  const Json& frames = result.at("frames");
  output.write(text_of(frames, options.format));
  return {frames.size(), result.value("lease", Json(nullptr))};
}

/// Makes one request, writes its frames and flushes the output. Puts leased frames onto the device.
/// If that fails, removes leased frames from the output again.
Portion write_portion(Client& client, const DrainOptions& options, std::uint64_t max_frames,
                      runtime::Output& output) {
  try {
    Portion got = drain_portion(client, options, max_frames, output);
    output.flush();
    if (!got.lease.is_null()) {
      output.sync();
    }
    return got;
  } catch (...) {
    if (options.lease) {
      output.take_back();
    }
    throw;
  }
}

}  // namespace

std::uint64_t drain(Client& client, const DrainOptions& options) {
  // First, so that a bad output fails before anything is drained.
  runtime::Output output(options.output, options.when_there);
  require_whole_end(options.output, options.when_there, options.format);
  if (options.lease) {
    output.take_back_on_signals();
  }
  const std::uint64_t portion =
      options.format == FrameFormat::binary ? binary_portion : json_portion;
  const std::uint64_t wanted =
      options.max_frames.value_or(std::numeric_limits<std::uint64_t>::max());
  std::uint64_t drained = 0;
  while (drained < wanted) {
    const Portion got = write_portion(client, options, std::min(portion, wanted - drained), output);
    if (got.frames == 0) {
      break;
    }
    output.keep();  // from here on the daemon may have let go of the frames, whatever it answers
    if (!got.lease.is_null()) {
      std::ignore = client.call("commit", {{"lease", got.lease}});
    }
    drained += got.frames;
  }
  return drained;
}

}  // namespace meridian::ctl
