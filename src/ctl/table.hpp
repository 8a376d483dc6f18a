/// Text in columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::ctl {

/// Rows under a heading. Each column is as wide as its widest cell, and aligned as its `Column`
/// says: right for numbers.
class Table {
 public:
  enum class Align : std::uint8_t { left, right };
  struct Column {
    std::string_view heading;
    Align align = Align::left;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// Adds a row, with a cell for each column. Makes the cells printable.
  void add(std::vector<std::string> row);
  [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }

  /// The rows as text. Columns are at least as wide as their headings, even without headings.
  [[nodiscard]] std::string to_text(bool with_heading = true) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace meridian::ctl
