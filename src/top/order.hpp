/// The order of the rows that `meridianctl top` shows.
#pragma once

#include "top/columns.hpp"
#include "top/figures.hpp"

#include <compare>
#include <cstddef>
#include <string_view>
#include <vector>

namespace meridian::top {

/// Calls `use` with the rows of a table.
template <typename Use>
auto with_rows_of(const Figures& figures, TableKind kind, Use&& use) {
  return kind == TableKind::satellites ? use(figures.satellites) : use(figures.uplinks);
}

[[nodiscard]] std::size_t rows_in(const Figures& figures, TableKind kind) noexcept;

/// The indexes of the figures' rows, in sorted order. Unknown values come last, whichever way the
/// others are sorted. Rows with equal values are in the order of their ids.
[[nodiscard]] std::vector<std::size_t> sorted_rows(const Figures& figures, TableKind kind,
                                                   Sort sort);

/// Compares numbers within texts by their value: "node-9" comes before "node-10".
[[nodiscard]] std::strong_ordering compare_naturally(std::string_view a, std::string_view b);

}  // namespace meridian::top
