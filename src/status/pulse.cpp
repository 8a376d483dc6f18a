#include "status/pulse.hpp"

namespace meridian::status {

bool Pulse::beats(Clock::time_point now) const noexcept {
  // A question comes up to `patience` after the last answer, and may take as long.
  return now - last_beat_.load(std::memory_order_relaxed) <= 2 * patience;
}

}  // namespace meridian::status
