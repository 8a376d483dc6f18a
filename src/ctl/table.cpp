#include "ctl/table.hpp"

#include "runtime/printable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace meridian::ctl {

void Table::add(std::vector<std::string> row) {
  std::ranges::transform(row, row.begin(), runtime::printable);
  rows_.push_back(std::move(row));
}

std::string Table::to_text(bool with_heading) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = columns_[i].heading.size();
    for (const auto& row : rows_) {
      width = std::max(width, row[i].size());
    }
    widths.push_back(width);
  }
  std::string text;
  const auto add_line = [&](const auto& cell_of) {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::string_view gap = i == 0 ? "" : "  ";
      if (columns_[i].align == Align::right) {
        fmt::format_to(std::back_inserter(line), "{}{:>{}}", gap, cell_of(i), widths[i]);
      } else {
        fmt::format_to(std::back_inserter(line), "{}{:<{}}", gap, cell_of(i), widths[i]);
      }
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  };
  if (with_heading) {
    add_line([&](std::size_t i) { return columns_[i].heading; });
  }
  for (const auto& row : rows_) {
    add_line([&](std::size_t i) { return std::string_view(row[i]); });
  }
  return text;
}

}  // namespace meridian::ctl
