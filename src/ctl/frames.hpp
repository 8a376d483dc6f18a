/// Prints frames that the daemon returns, for people and for programs.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>

namespace meridian::ctl {

/// How frames are printed.
enum class FrameFormat : std::uint8_t { table, ndjson, binary };

/// Throws std::runtime_error that names --format for an unknown name.
[[nodiscard]] FrameFormat frame_format_from(const std::string& name);

/// Text for a list of frames; for FrameFormat::table or ndjson. Later parts of one table have no
/// heading.
[[nodiscard]] std::string text_of(const nlohmann::ordered_json& frames, FrameFormat format,
                                  bool with_heading = true);

}  // namespace meridian::ctl
