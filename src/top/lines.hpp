/// What `meridianctl top` writes if there is no screen: a line for each interval.
#pragma once

#include "top/figures.hpp"

#include <string>

namespace meridian::top {

/// For people, with a newline at the end.
[[nodiscard]] std::string text_line_of(const Figures& figures);

/// For programs: a JSON object, with a newline at the end. Rates that are not known are null.
[[nodiscard]] std::string json_line_of(const Figures& figures);

}  // namespace meridian::top
