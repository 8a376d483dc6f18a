/// What becomes of the room of frames that were taken out of the buffer.
#pragma once

#include <cstdint>

namespace meridian::inline v2::aggregator {

/// The room is free again (`none`), or is kept for lent or leased frames that may come back.
enum class KeptRoom : std::uint8_t { none, lent, leased };

}  // namespace meridian::inline v2::aggregator
