#include "top/columns.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <stdexcept>
#include <string>

namespace meridian::top {

namespace {

// The letters must not be h, q, s or u: these keys do something else.
constexpr std::array satellite_columns{
    Column{ColumnKey::satellite, "satellite", "SATELLITE", 'i', 12, true, false},
    Column{ColumnKey::channel, "channel", "CHANNEL", 'c', 11, true, false},
    Column{ColumnKey::state, "state", "STATE", 't', 10, false, true},
    Column{ColumnKey::age, "age", "AGE", 'a', 4, true, true},
    Column{ColumnKey::rate, "rate", "FRAMES/S", 'r', 9, true, true},
    Column{ColumnKey::frames, "frames", "FRAMES", 'f', 5, true, true},
    Column{ColumnKey::octets, "octets", "OCTETS", 'o', 1, true, true},
    Column{ColumnKey::gaps, "gaps", "GAPS", 'g', 8, true, true},
    Column{ColumnKey::missing, "missing", "MISSING", 'm', 6, true, true},
    Column{ColumnKey::duplicates, "duplicates", "DUPLICATES", 'p', 2, true, true},
    Column{ColumnKey::late, "late", "LATE", 'l', 3, true, true},
    Column{ColumnKey::resets, "resets", "RESETS", 'e', 0, true, true},
    Column{ColumnKey::dropped, "dropped", "DROPPED", 'd', 7, true, true},
};

constexpr std::array uplink_columns{
    Column{ColumnKey::id, "id", "ID", 'i', 9, true, false},
    Column{ColumnKey::peer, "peer", "PEER", 'p', 8, false, false},
    Column{ColumnKey::state, "state", "STATE", 't', 7, false, true},
    Column{ColumnKey::age, "age", "AGE", 'a', 4, true, true},
    Column{ColumnKey::rate, "rate", "FRAMES/S", 'r', 6, true, true},
    Column{ColumnKey::frames, "frames", "FRAMES", 'f', 5, true, true},
    Column{ColumnKey::octets, "octets", "OCTETS", 'o', 3, true, true},
    Column{ColumnKey::listener, "listener", "LISTENER", 'l', 2, false, false},
    Column{ColumnKey::connected, "connected", "CONNECTED", 'c', 1, false, false},
};

constexpr std::array kinds{TableKind::satellites, TableKind::uplinks};

std::string all_names() {
  std::string names;
  for (const TableKind kind : kinds) {
    for (const Column& column : columns_of(kind)) {
      // If both tables have a column, its name appears once.
      const bool named = kind == TableKind::uplinks &&
                         std::ranges::count(satellite_columns, column.key, &Column::key) > 0;
      if (!named) {
        names += (names.empty() ? "" : ", ") + std::string(column.name);
      }
    }
  }
  return names;
}

}  // namespace

std::span<const Column> columns_of(TableKind kind) noexcept {
  return kind == TableKind::satellites ? std::span<const Column>(satellite_columns)
                                       : std::span<const Column>(uplink_columns);
}

FirstTable first_table_from(std::string_view name) {
  for (const TableKind kind : kinds) {
    for (const Column& column : columns_of(kind)) {
      if (column.name == name) {
        return {kind, {column.key, column.largest_first}};
      }
    }
  }
  throw std::runtime_error("--sort: must be one of " + all_names());
}

}  // namespace meridian::top
