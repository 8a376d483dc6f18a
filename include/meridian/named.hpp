/// Enumerations whose values are counted: their names, and what they mean.
///
/// Stable: see <meridian/version.hpp>.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace meridian::inline v2 {

/// A row of such a table: a value of the enumeration, with its name.
template <typename Enum>
struct Named {
  Enum value;
  std::string_view name;      ///< in answers, logs and metrics, such as "channel_full"
  std::string_view sentence;  ///< when this is counted
};

/// The values in a table, in its order.
template <typename Enum, std::size_t n>
[[nodiscard]] constexpr std::array<Enum, n> values_of(const std::array<Named<Enum>, n>& table) {
  std::array<Enum, n> values{};
  std::ranges::transform(table, values.begin(), &Named<Enum>::value);
  return values;
}

/// The name of a value; "unknown" if the table lacks it.
template <typename Enum, std::size_t n>
[[nodiscard]] constexpr std::string_view name_in(const std::array<Named<Enum>, n>& table,
                                                 Enum value) noexcept {
  const auto found = std::ranges::find(table, value, &Named<Enum>::value);
  return found == table.end() ? "unknown" : found->name;
}

}  // namespace meridian::inline v2
