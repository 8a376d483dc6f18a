/// The figures above the tables of `meridianctl top`.
#pragma once

#include "top/figures.hpp"
#include "top/styled_text.hpp"

#include <cstddef>
#include <vector>

namespace meridian::top {

/// At least five lines, and at most `most` lines: the least important ones are left out. No line is
/// longer than `cells`. REQUIRES: `most` is at least 5, and `cells` at least 40.
[[nodiscard]] std::vector<Line> header_lines(const Figures& figures, std::size_t most,
                                             std::size_t cells);

}  // namespace meridian::top
