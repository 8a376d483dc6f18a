#include "ctl/tail.hpp"

#include "ctl/whole_end.hpp"
#include "runtime/output.hpp"

#include <cstddef>
#include <span>

namespace meridian::ctl {

namespace {

using Json = Client::Json;

Json params_of(const TailOptions& options) {
  Json params = {{"format", options.format == FrameFormat::binary ? "binary" : "json"}};
  if (options.satellite_id) {
    params["satellite_id"] = *options.satellite_id;
  }
  if (options.channel_id) {
    params["channel_id"] = *options.channel_id;
  }
  if (options.max_frames) {
    params["limit"] = *options.max_frames;
  }
  return params;
}

}  // namespace

TailEnd tail(Client& client, const TailOptions& options,
             const std::function<void(std::uint64_t)>& on_lost) {
  runtime::Output output(options.output, options.when_there);
  require_whole_end(options.output, options.when_there, options.format);
  bool first = true;
  const auto on_message = [&](const Json& message, std::span<const std::byte> octets) {
    if (options.format == FrameFormat::binary) {
      output.write(octets);
    } else if (!message.at("frames").empty()) {
      output.write(text_of(message.at("frames"), options.format, first));
      first = false;
    }
    output.flush();
    if (const auto lost = message.at("lost").get<std::uint64_t>(); lost > 0) {
      on_lost(lost);
    }
  };
  const Json end = client.tail(params_of(options), on_message);
  return {.frames = end.at("frames").get<std::uint64_t>(),
          .lost = end.at("lost").get<std::uint64_t>()};
}

}  // namespace meridian::ctl
