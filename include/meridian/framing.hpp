/// The framings that an uplink may have.
///
/// Stable: see <meridian/version.hpp>.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace meridian::inline v2 {

enum class Framing : std::uint8_t { length_prefixed, ccsds_space_packet };

/// Their names in configurations, on command lines and in answers.
inline constexpr std::array<std::pair<std::string_view, Framing>, 2> framing_names{
    {{"length_prefixed", Framing::length_prefixed},
     {"ccsds_space_packet", Framing::ccsds_space_packet}}};

[[nodiscard]] constexpr std::string_view name_of(Framing framing) noexcept {
  return framing_names[static_cast<std::size_t>(framing)].first;
}

}  // namespace meridian::inline v2
