/// The tables of `meridianctl top`: which columns there is room for, and their lines.
#pragma once

#include "top/columns.hpp"
#include "top/figures.hpp"
#include "top/styled_text.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace meridian::top {

/// A heading and the rows from `first` on, at most `count`. No line is longer than `cells`.
[[nodiscard]] std::vector<Line> table_lines(const Figures& figures, TableKind kind, Sort sort,
                                            std::size_t first, std::size_t count,
                                            std::size_t cells);

/// How wide a column must be, and how wide it is with enough room.
struct ColumnWidth {
  std::size_t least = 0;
  std::size_t full = 0;
};

/// How wide each column is; 0 if it is left out.
struct ColumnFit {
  std::vector<std::size_t> widths;
  std::size_t gap = 1;
};
[[nodiscard]] ColumnFit fit_columns(std::span<const Column> columns,
                                    std::span<const ColumnWidth> widths, std::size_t cells);

}  // namespace meridian::top
