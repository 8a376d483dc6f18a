/// The figures above the tables of `meridianctl top`.
#pragma once

#include "top/figures.hpp"
#include "top/styled_text.hpp"

#include <cstddef>
#include <vector>

namespace meridian::top {

/// At least five lines, and no more than `most` (5 or more): the least important ones are left out.
/// No line is longer than `cells` (40 or more).
[[nodiscard]] std::vector<Line> header_lines(const Figures& figures, std::size_t most,
                                             std::size_t cells);

}  // namespace meridian::top
