/// Why a stream of frames cannot be trusted any further.
///
/// Stable: see <meridian/version.hpp>.
#pragma once

#include <string_view>

namespace meridian::inline v1 {

enum class Malformed {
  length_too_small,  ///< native: the length field does not even cover the header
  length_too_large,  ///< native: the payload is longer than allowed
  reserved_flags,    ///< native: a flag that must be zero is set
  packet_version,    ///< space packet: a version other than 0
  packet_too_large,  ///< space packet: longer than allowed
  sync_marker,       ///< space packet: the stream begins with an attached sync marker
};

/// Every `Malformed`, for tables that name them all.
inline constexpr Malformed all_malformed[] = {
    Malformed::length_too_small, Malformed::length_too_large, Malformed::reserved_flags,
    Malformed::packet_version,   Malformed::packet_too_large, Malformed::sync_marker};

/// The name under which a reason is counted and logged, such as "length_too_large".
[[nodiscard]] std::string_view name_of(Malformed reason) noexcept;

}  // namespace meridian::inline v1
