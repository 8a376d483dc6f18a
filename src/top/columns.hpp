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
  std::string_view heading;  ///< contains `letter`
  char letter;               ///< the key that sorts by it
  int weight;                ///< if there is not room for all, the lighter ones go first
  bool to_right;             ///< aligned to the right, as numbers are
  bool largest_first;        ///< as is useful for amounts
};

/// In the order in which they are shown.
[[nodiscard]] std::span<const Column> columns_of(TableKind kind) noexcept;

/// What a table is sorted by.
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

/// The table and the order for the name of a column; the satellites' table if both have it. Throws
/// std::runtime_error that names --sort.
[[nodiscard]] FirstTable first_table_from(std::string_view name);

}  // namespace meridian::top
