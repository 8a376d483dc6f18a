/// What `meridianctl top` writes where there is no screen: a line for each interval.
#pragma once

#include "top/figures.hpp"

#include <string>

namespace meridian::top {

/// For people, with its end.
[[nodiscard]] std::string text_line_of(const Figures& figures);

/// For programs: an object of JSON, with its end. Rates that are not known are null.
[[nodiscard]] std::string json_line_of(const Figures& figures);

}  // namespace meridian::top
