/// What a test cannot do without.
#pragma once

#include <stdexcept>

namespace meridian::testing {

/// Throws std::runtime_error with `what` where it does not hold.
inline void require(bool holds, const char* what) {
  if (!holds) {
    throw std::runtime_error(what);
  }
}

}  // namespace meridian::testing
