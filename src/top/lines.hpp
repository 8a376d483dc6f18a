/// What `meridianctl top` writes if it does not draw a screen: a line for each interval.
#pragma once

#include "top/figures.hpp"

#include <string>

namespace meridian::top {

/// A line for people, with a newline at the end.
[[nodiscard]] std::string text_line_of(const Figures& figures);

/// A line for programs: a JSON object, with a newline at the end. Unknown rates are null.
[[nodiscard]] std::string json_line_of(const Figures& figures);

}  // namespace meridian::top
