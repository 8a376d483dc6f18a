/// What becomes of the room of frames that were taken out of the buffer.
#pragma once

#include <cstdint>

namespace meridian::inline v2::aggregator {

/// It is free again (`none`), or kept for the return of frames that are lent or leased.
enum class KeptRoom : std::uint8_t { none, lent, leased };

}  // namespace meridian::inline v2::aggregator
