#include "top/table.hpp"

#include "top/cells.hpp"
#include "top/order.hpp"
#include "top/terminal_text.hpp"

#include <algorithm>
#include <cctype>
#include <functional>
#include <numeric>
#include <string>

namespace meridian::top {

namespace {

char arrow(Sort sort) {
  return sort.descending ? 'v' : '^';
}

std::size_t heading_cells(const Column& column, Sort sort) {
  return column.heading.size() + (column.key == sort.key ? 1 : 0);
}

/// Underlines the letter that sorts by the column. An arrow says which way the rows are sorted.
void add_heading(Line& line, const Column& column, Sort sort, std::size_t width) {
  const bool is_sorted = column.key == sort.key;
  const Style style{.bold = is_sorted, .reverse = true};
  Style of_letter = style;
  of_letter.underline = true;
  const std::string blanks(width - heading_cells(column, sort), ' ');
  const std::size_t letter = column.heading.find(
      static_cast<char>(std::toupper(static_cast<unsigned char>(column.letter))));
  if (column.to_right) {
    line.add(blanks, style);
  }
  line.add(column.heading.substr(0, letter), style);
  line.add(column.heading.substr(letter, 1), of_letter);
  line.add(column.heading.substr(letter + 1), style);
  if (is_sorted) {
    line.add(std::string(1, arrow(sort)), style);
  }
  if (!column.to_right) {
    line.add(blanks, style);
  }
}

void add_cell(Line& line, const Column& column, const Cell& cell, std::size_t width) {
  const bool has_room = cells_of(cell.full) <= width;
  const std::string_view text = clipped(has_room ? cell.full : cell.brief, width);
  const std::string blanks(width - cells_of(text), ' ');
  if (column.to_right) {
    line.add(blanks).add(text, cell.style);
  } else {
    line.add(text, cell.style).add(blanks);
  }
}

/// The widths of a column. A text may be cut off, but not so far that it says nothing. A number
/// must not be cut off.
ColumnWidth width_of(const Column& column, const std::vector<std::vector<Cell>>& rows,
                     std::size_t index, Sort sort) {
  constexpr std::size_t least_text = 15;
  ColumnWidth width;
  for (const std::vector<Cell>& cells : rows) {
    width.full = std::max(width.full, cells_of(cells[index].full));
    width.least = std::max(width.least, cells_of(cells[index].brief));
  }
  if (!column.to_right) {
    width.least = std::min(width.least, least_text);
  }
  width.least = std::max(width.least, heading_cells(column, sort));
  width.full = std::max(width.full, width.least);
  return width;
}

/// The columns of a table. The column that the rows are sorted by is among the last to be left out,
/// since without it their order would make no sense.
std::vector<Column> weighed_columns(TableKind kind, Sort sort) {
  const std::span<const Column> all = columns_of(kind);
  std::vector<Column> columns(all.begin(), all.end());
  const int heaviest = std::ranges::max(columns, {}, &Column::weight).weight;
  Column& sorted = *std::ranges::find(columns, sort.key, &Column::key);
  sorted.weight = std::max(sorted.weight, heaviest - 1);
  return columns;
}

}  // namespace

ColumnFit fit_columns(std::span<const Column> columns, std::span<const ColumnWidth> widths,
                      std::size_t cells) {
  std::vector<std::size_t> by_weight(columns.size());
  std::iota(by_weight.begin(), by_weight.end(), std::size_t{0});
  std::ranges::sort(by_weight, std::greater(), [&](std::size_t i) { return columns[i].weight; });

  std::size_t roomy = 0;
  for (const ColumnWidth& width : widths) {
    roomy += width.full + 2;
  }
  ColumnFit fit{std::vector<std::size_t>(columns.size(), 0), roomy <= cells + 2 ? 2U : 1U};
  std::size_t used = 0;
  for (const std::size_t i : by_weight) {
    const std::size_t more = widths[i].least + (used > 0 ? fit.gap : 0);
    if (used + more > cells) {
      break;
    }
    fit.widths[i] = widths[i].least;
    used += more;
  }
  for (const std::size_t i : by_weight) {
    const std::size_t missing = widths[i].full - widths[i].least;
    const std::size_t left = cells - used;
    // A number needs all of the missing cells, or none.
    const std::size_t more = columns[i].to_right && missing > left ? 0 : std::min(missing, left);
    if (fit.widths[i] > 0) {
      fit.widths[i] += more;
      used += more;
    }
  }
  return fit;
}

std::vector<Line> table_lines(const Figures& figures, TableKind kind, Sort sort, std::size_t first,
                              std::size_t count, std::size_t cells) {
  const std::vector<Column> columns = weighed_columns(kind, sort);
  const std::vector<std::size_t> order = sorted_rows(figures, kind, sort);
  std::vector<std::vector<Cell>> rows;
  with_rows_of(figures, kind, [&](const auto& all) {
    for (std::size_t i = first; i < std::min(first + count, order.size()); ++i) {
      std::vector<Cell>& row = rows.emplace_back();
      for (const Column& column : columns) {
        row.push_back(cell_of(all[order[i]], column.key));
      }
    }
  });
  std::vector<ColumnWidth> widths;
  widths.reserve(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    widths.push_back(width_of(columns[i], rows, i, sort));
  }
  const ColumnFit fit = fit_columns(columns, widths, cells);

  std::vector<Line> lines(1 + rows.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (fit.widths[i] == 0) {
      continue;
    }
    const std::size_t gap = lines[0].cells() == 0 ? 0 : fit.gap;
    lines[0].add(std::string(gap, ' '), {.reverse = true});
    add_heading(lines[0], columns[i], sort, fit.widths[i]);
    for (std::size_t row = 0; row < rows.size(); ++row) {
      lines[row + 1].add(std::string(gap, ' '));
      add_cell(lines[row + 1], columns[i], rows[row][i], fit.widths[i]);
    }
  }
  lines[0].pad(cells, {.reverse = true});
  return lines;
}

}  // namespace meridian::top
