/// Sums and differences of amounts of frames.
#pragma once

#include <meridian/aggregator.hpp>

#include <algorithm>
#include <cstdint>
#include <stdexcept>

namespace meridian::inline v2::aggregator {

[[nodiscard]] inline Amount amount_of(const FrameBatch& batch) noexcept {
  return {.frames = batch.frames(), .bytes = batch.bytes()};
}

inline void add_to(Amount& sum, const Amount& amount) noexcept {
  sum.frames += amount.frames;
  sum.bytes += amount.bytes;
}

/// Throws std::logic_error if more is subtracted than there is. A difference that wrapped would not
/// be noticed, since sums of such figures still balance.
inline void subtract_from(std::uint64_t& sum, std::uint64_t amount) {
  if (amount > sum) {
    throw std::logic_error("more frames are taken away than were counted");
  }
  sum -= amount;
}

/// If it throws, nothing is subtracted.
inline void subtract_from(Amount& sum, const Amount& amount) {
  Amount rest = sum;
  subtract_from(rest.frames, amount.frames);
  subtract_from(rest.bytes, amount.bytes);
  sum = rest;
}

/// By how much `value` is over `limit`; 0 if it is not.
[[nodiscard]] inline std::uint64_t over(std::uint64_t value, std::uint64_t limit) noexcept {
  return value - std::min(value, limit);
}

/// The same for frames and for bytes, each on its own.
[[nodiscard]] inline Amount over(const Amount& amount, const Amount& limit) noexcept {
  return {.frames = over(amount.frames, limit.frames), .bytes = over(amount.bytes, limit.bytes)};
}

}  // namespace meridian::inline v2::aggregator
