/// Text in columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::ctl {

/// Rows under a heading. Columns are as wide as they need to be, those of numbers aligned to the
/// right.
class Table {
 public:
  enum class Align : std::uint8_t { left, right };
  struct Column {
    std::string_view heading;
    Align align = Align::left;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// Adds a row, with a cell for each column. Cells are made printable.
  void add(std::vector<std::string> row);
  [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }

  /// Columns are as wide as their headings even if these are omitted.
  [[nodiscard]] std::string to_text(bool with_heading = true) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace meridian::ctl
