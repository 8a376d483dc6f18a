/// Waiting for conditions. Nothing here sleeps for luck, and nothing waits for ever.
#pragma once

#include <chrono>
#include <cstdint>
#include <thread>

namespace meridian::testing {

/// How much slower than usual the programs run: sanitizers cost that much.
inline constexpr std::uint64_t slowdown = MERIDIAN_TEST_SLOWDOWN;

/// A load that takes as long as usual.
constexpr std::uint64_t scaled(std::uint64_t count) {
  return count / slowdown;
}

/// A time that is long enough.
constexpr std::chrono::milliseconds at_most(std::chrono::milliseconds usual) {
  return usual * static_cast<std::int64_t>(slowdown);
}

/// For whatever should take milliseconds.
inline constexpr std::chrono::milliseconds patience = at_most(std::chrono::seconds(10));

/// Asks until `condition` is true. False if it is not within `patience_for_it`.
template <typename Condition>
[[nodiscard]] bool eventually(Condition&& condition,
                              std::chrono::milliseconds patience_for_it = patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience_for_it;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace meridian::testing
