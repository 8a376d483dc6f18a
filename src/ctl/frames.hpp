/// Prints frames that the daemon returns, for people and for programs.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>

namespace meridian::ctl {

/// How frames are printed.
enum class FrameFormat : std::uint8_t { table, ndjson, binary };

/// The format with that name. If there is none, throws std::runtime_error, which names --format.
[[nodiscard]] FrameFormat frame_format_from(const std::string& name);

/// The text of a list of frames. `format` must be table or ndjson. The parts of a table after the
/// first are made without a heading.
[[nodiscard]] std::string text_of(const nlohmann::ordered_json& frames, FrameFormat format,
                                  bool with_heading = true);

}  // namespace meridian::ctl
