/// Times as they are in a saved state: microseconds since 1970.
#pragma once

#include "state/octets.hpp"

#include <meridian/frame.hpp>

#include <chrono>
#include <cstdint>

namespace meridian::state {

inline void put_time(OctetWriter& out, ReceiveTime time) {
  out.put(std::int64_t{time.time_since_epoch().count()});
}

inline ReceiveTime get_time(OctetReader& in) {
  return ReceiveTime(std::chrono::microseconds(in.get<std::int64_t>()));
}

}  // namespace meridian::state
