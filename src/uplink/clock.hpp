/// The clock for receive times, and for the times at which sessions begin and end.
#pragma once

#include <meridian/frame.hpp>

#include <chrono>

namespace meridian::uplink {

/// The current time in UTC, to the microsecond.
[[nodiscard]] inline ReceiveTime now() {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

}  // namespace meridian::uplink
