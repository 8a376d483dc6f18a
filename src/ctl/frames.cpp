#include "ctl/frames.hpp"

#include "ctl/report.hpp"
#include "ctl/table.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>

namespace meridian::ctl {

namespace {

using Json = nlohmann::ordered_json;

std::string table_of(const Json& frames, bool with_heading) {
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
  return table.empty() ? "" : table.to_text(with_heading);
}

std::string ndjson_of(const Json& frames) {
  std::string text;
  for (const Json& frame : frames) {
    text += json_line(frame);
  }
  return text;
}

}  // namespace

FrameFormat frame_format_from(const std::string& name) {
  if (name == "table") {
    return FrameFormat::table;
  }
  if (name == "ndjson") {
    return FrameFormat::ndjson;
  }
  if (name == "binary") {
    return FrameFormat::binary;
  }
  throw std::runtime_error("--format: must be table, ndjson or binary");
}

std::string text_of(const Json& frames, FrameFormat format, bool with_heading) {
  return format == FrameFormat::table ? table_of(frames, with_heading) : ndjson_of(frames);
}

}  // namespace meridian::ctl
