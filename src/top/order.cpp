#include "top/order.hpp"

#include "top/cells.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace meridian::top {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Takes the leading digits off a text, and returns them without leading zeros.
std::string_view take_digits(std::string_view& text) {
  const auto length =
      static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
  std::string_view digits = text.substr(0, length);
  text.remove_prefix(length);
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  return digits;
}

std::strong_ordering compare(std::string_view a, std::string_view b) {
  return compare_naturally(a, b);
}

std::strong_ordering compare(std::uint64_t a, std::uint64_t b) {
  return a <=> b;
}

/// REQUIRES: neither value is NaN.
std::strong_ordering compare(double a, double b) {
  return a < b   ? std::strong_ordering::less
         : b < a ? std::strong_ordering::greater
                 : std::strong_ordering::equal;
}

std::strong_ordering compare(std::monostate, std::monostate) {
  return std::strong_ordering::equal;
}

/// Compares values of one column. Unknown values come last.
std::strong_ordering compare(const SortValue& a, const SortValue& b, bool descending) {
  const bool a_known = a.index() != 0;
  const bool b_known = b.index() != 0;
  if (a_known != b_known) {
    return a_known ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  return std::visit(
      [&](const auto& value) {
        const auto& other = std::get<std::decay_t<decltype(value)>>(b);
        return descending ? compare(other, value) : compare(value, other);
      },
      a);
}

auto id_of(const SatelliteRow& row) {
  return std::tuple(!row.satellite_id, row.satellite_id, row.channel_id);
}

auto id_of(const UplinkRow& row) {
  return row.id;
}

template <typename Row>
std::vector<std::size_t> sorted(const std::vector<Row>& rows, Sort sort) {
  std::vector<SortValue> values;
  values.reserve(rows.size());
  for (const Row& row : rows) {
    values.push_back(sort_value_of(row, sort.key));
  }
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    const auto compared = compare(values[a], values[b], sort.descending);
    return compared == 0 ? id_of(rows[a]) < id_of(rows[b]) : compared < 0;
  });
  return order;
}

}  // namespace

std::strong_ordering compare_naturally(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (is_digit(a.front()) && is_digit(b.front())) {
      const std::string_view number = take_digits(a);
      const std::string_view other = take_digits(b);
      const auto compared = std::pair(number.size(), number) <=> std::pair(other.size(), other);
      if (compared != 0) {
        return compared;
      }
    } else if (a.front() != b.front()) {
      return static_cast<unsigned char>(a.front()) <=> static_cast<unsigned char>(b.front());
    } else {
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  return a.size() <=> b.size();
}

std::size_t rows_in(const Figures& figures, TableKind kind) noexcept {
  return with_rows_of(figures, kind, [](const auto& rows) { return rows.size(); });
}

std::vector<std::size_t> sorted_rows(const Figures& figures, TableKind kind, Sort sort) {
  return with_rows_of(figures, kind, [&](const auto& rows) { return sorted(rows, sort); });
}

}  // namespace meridian::top
