/// What the cells of a row show, and what the row is sorted by.
#pragma once

#include "top/columns.hpp"
#include "top/figures.hpp"
#include "top/styled_text.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace meridian::top {

struct Cell {
  std::string full;
  std::string brief;  ///< shown if there is no room for `full`
  Style style{};
};

/// The cell of a row. REQUIRES: the table of such rows has the column.
[[nodiscard]] Cell cell_of(const SatelliteRow& row, ColumnKey key);
[[nodiscard]] Cell cell_of(const UplinkRow& row, ColumnKey key);

/// A value to sort a row by; std::monostate if it is not known. All known values of one column have
/// the same type. May refer to the row, which must outlive it.
using SortValue = std::variant<std::monostate, std::uint64_t, double, std::string_view>;
[[nodiscard]] SortValue sort_value_of(const SatelliteRow& row, ColumnKey key);
[[nodiscard]] SortValue sort_value_of(const UplinkRow& row, ColumnKey key);

}  // namespace meridian::top
