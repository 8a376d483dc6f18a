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
  std::string brief;  ///< if there is no room for `full`
  Style style{};
};

/// REQUIRES: the table of such rows has the column.
[[nodiscard]] Cell cell_of(const SatelliteRow& row, ColumnKey key);
[[nodiscard]] Cell cell_of(const UplinkRow& row, ColumnKey key);

/// Refers to the row. Nothing if the value is not known. Values of one column have the same type.
using SortValue = std::variant<std::monostate, std::uint64_t, double, std::string_view>;
[[nodiscard]] SortValue sort_value_of(const SatelliteRow& row, ColumnKey key);
[[nodiscard]] SortValue sort_value_of(const UplinkRow& row, ColumnKey key);

}  // namespace meridian::top
