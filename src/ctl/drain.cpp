#include "ctl/drain.hpp"

#include "ctl/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <string_view>

namespace meridian::ctl {

namespace {

using Json = control::Client::Json;

/// Frames in one request: what could be lost if the output fails, and what stands in memory as
/// text.
constexpr std::uint64_t json_portion = 1'000;
constexpr std::uint64_t binary_portion = 200'000;

/// Where frames are written. Every write is checked.
class Output {
 public:
  explicit Output(const std::string& path) : name_(path.empty() ? "standard output" : path) {
    if (!path.empty()) {
      owned_.reset(std::fopen(path.c_str(), "wb"));
      if (!owned_) {
        throw failure();
      }
      file_ = owned_.get();
    }
  }

  void write(std::span<const std::byte> octets) {
    if (std::fwrite(octets.data(), 1, octets.size(), file_) != octets.size()) {
      throw failure();
    }
  }
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }

  void flush() {
    if (std::fflush(file_) != 0) {
      throw failure();
    }
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };

  [[nodiscard]] std::runtime_error failure() const {
    return std::runtime_error(fmt::format("cannot write to {}: {}", name_, std::strerror(errno)));
  }

  std::string name_;
  std::unique_ptr<std::FILE, Close> owned_;
  std::FILE* file_ = stdout;
};

std::string table_of(const Json& frames) {
  using Align = Table::Align;
  Table table({{"SATELLITE", Align::right},
               {"CHANNEL", Align::right},
               {"SEQUENCE", Align::right},
               {"STORED"},
               {"RECEIVED AT"},
               {"PAYLOAD OCTETS", Align::right}});
  for (const Json& frame : frames) {
    const auto& payload = frame.at("payload").get_ref<const std::string&>();
    const auto padding = static_cast<std::size_t>(std::ranges::count(payload, '='));
    table.add({frame.at("satellite_id").dump(), frame.at("channel_id").dump(),
               frame.at("sequence").dump(), frame.at("stored").get<bool>() ? "yes" : "no",
               frame.at("received_at").get<std::string>(),
               std::to_string(payload.size() / 4 * 3 - padding)});
  }
  return table.empty() ? "" : table.to_text();
}

std::string ndjson_of(const Json& frames) {
  std::string text;
  for (const Json& frame : frames) {
    text += frame.dump() + "\n";
  }
  return text;
}

/// One request. Returns how many frames came.
std::uint64_t drain_portion(control::Client& client, const DrainOptions& options,
                            std::uint64_t max_frames, Output& output) {
  Json params = {{"max_frames", max_frames}};
  if (options.satellite_id) {
    params["satellite_id"] = *options.satellite_id;
  }
  if (options.format == DrainFormat::binary) {
    const auto write = [&output](std::span<const std::byte> octets) { output.write(octets); };
    const Json result = client.drain_binary(std::move(params), write);
    return result.at("frames").get<std::uint64_t>();
  }
  const Json result = client.call("drain", params);
  const Json& frames = result.at("frames");
  output.write(options.format == DrainFormat::table ? table_of(frames) : ndjson_of(frames));
  return frames.size();
}

}  // namespace

std::uint64_t drain(control::Client& client, const DrainOptions& options) {
  Output output(options.output);  // before anything is drained
  const std::uint64_t portion =
      options.format == DrainFormat::binary ? binary_portion : json_portion;
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
