/// Sums of amounts of frames.
#pragma once

#include <meridian/aggregator.hpp>

namespace meridian::inline v1 {

[[nodiscard]] inline Depth amount_of(const FrameBatch& batch) noexcept {
  return {.frames = batch.frames(), .bytes = batch.bytes()};
}

inline void add_to(Depth& sum, const Depth& amount) noexcept {
  sum.frames += amount.frames;
  sum.bytes += amount.bytes;
}

inline void subtract_from(Depth& sum, const Depth& amount) noexcept {
  sum.frames -= amount.frames;
  sum.bytes -= amount.bytes;
}

}  // namespace meridian::inline v1
