#include "status/pulse.hpp"

namespace meridian::status {

bool Pulse::beats(Clock::time_point now) const noexcept {
  // The next question comes up to `patience` after the last answer, and its answer may take as long
  // again.
  return now - last_beat_.load(std::memory_order_relaxed) <= 2 * patience;
}

}  // namespace meridian::status
