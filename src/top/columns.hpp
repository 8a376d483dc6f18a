/// The columns of the tables that `meridianctl top` shows.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace meridian::top {

enum class TableKind : std::uint8_t { satellites, uplinks };

enum class ColumnKey : std::uint8_t {
  satellite,
  channel,
  id,
  peer,
  state,
  age,
  rate,
  frames,
  octets,
  gaps,
  missing,
  duplicates,
  late,
  resets,
  dropped,
  listener,
  connected,
};

struct Column {
  ColumnKey key;
  std::string_view name;     ///< as --sort takes it
  std::string_view heading;  ///< contains `letter`, in upper case
  char letter;               ///< the key that sorts by this column
  int weight;                ///< without room for all columns, the lightest are left out first
  bool to_right;             ///< aligned to the right, as numbers are
  bool largest_first;        ///< how the first press of `letter` sorts: right for amounts
};

/// The columns of a table, in the order in which they are shown.
[[nodiscard]] std::span<const Column> columns_of(TableKind kind) noexcept;

/// The column that a table is sorted by, and the direction.
struct Sort {
  ColumnKey key = ColumnKey::satellite;
  bool descending = false;

  friend bool operator==(const Sort&, const Sort&) = default;
};

/// The table to begin with, and its order.
struct FirstTable {
  TableKind kind = TableKind::satellites;
  Sort sort{};
};

/// The table that has the column `name`, sorted by it. If both tables have the column, the
/// satellites' table. If none has, throws std::runtime_error, which names --sort.
[[nodiscard]] FirstTable first_table_from(std::string_view name);

}  // namespace meridian::top
