/// The clock that frames and sessions are stamped with.
#pragma once

#include <meridian/frame.hpp>

#include <chrono>

namespace meridian::uplink {

[[nodiscard]] inline ReceiveTime now() {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

}  // namespace meridian::uplink
