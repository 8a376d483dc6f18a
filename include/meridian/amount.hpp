/// An amount of frames.
///
/// Stable: see <meridian/version.hpp>.
#pragma once

#include <cstdint>

namespace meridian::inline v2 {

/// An amount of frames.
struct Amount {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;  ///< octets, headers included

  friend bool operator==(const Amount&, const Amount&) = default;
};

}  // namespace meridian::inline v2
