/// Why a stream of frames cannot be trusted any further.
///
/// Stable: see <meridian/version.hpp>.
#pragma once

#include <meridian/named.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace meridian::inline v2 {

enum class Malformed : std::uint8_t {
  length_too_small,
  length_too_large,
  reserved_flags,
  packet_version,
  packet_too_large,
  sync_marker,
};

inline constexpr std::array<Named<Malformed>, 6> malformed_reasons{{
    {Malformed::length_too_small, "length_too_small",
     "The length of a native frame does not cover its header."},
    {Malformed::length_too_large, "length_too_large",
     "A native frame is longer than `max_payload_bytes` of its listener allows."},
    {Malformed::reserved_flags, "reserved_flags",
     "A native frame has a flag set that must be zero."},
    {Malformed::packet_version, "packet_version", "A space packet has a version other than 0."},
    {Malformed::packet_too_large, "packet_too_large",
     "A space packet is longer than `max_payload_bytes` of its listener allows."},
    {Malformed::sync_marker, "sync_marker",
     "A listener for space packets gets transfer frames: the stream begins with their attached "
     "sync marker, 1ACFFC1D."},
}};
inline constexpr auto all_malformed = values_of(malformed_reasons);
[[nodiscard]] constexpr std::string_view name_of(Malformed reason) noexcept {
  return name_in(malformed_reasons, reason);
}

}  // namespace meridian::inline v2
