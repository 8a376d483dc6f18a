/// Figures for people.
#pragma once

#include <cstdint>
#include <string>

namespace meridian::status {

/// 1234567 as "1,234,567".
[[nodiscard]] std::string with_separators(std::uint64_t number);

/// Octets for people: "8.4 MB".
[[nodiscard]] std::string octets_for_people(std::uint64_t octets);

}  // namespace meridian::status
