/// Waits for conditions. Nothing here sleeps and hopes for the best, and nothing waits forever.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <thread>

namespace meridian::test {

/// What the programs under test are built with, from the environment; "" for none.
inline const std::string_view sanitizers = [] {
  const char* const given = std::getenv("MERIDIAN_TEST_SANITIZERS");
  return given != nullptr ? std::string_view(given) : std::string_view();
}();

/// How much slower than usual the programs run: sanitizers cost that much.
inline const std::uint64_t slowdown = sanitizers.empty() ? 1 : 10;

/// A load that takes no longer under sanitizers than `count` does without.
inline std::uint64_t scaled(std::uint64_t count) {
  return count / slowdown;
}

/// A time that is long enough under sanitizers too.
inline std::chrono::milliseconds at_most(std::chrono::milliseconds usual) {
  return usual * static_cast<std::int64_t>(slowdown);
}

/// For whatever should take milliseconds.
inline const std::chrono::milliseconds patience = at_most(std::chrono::seconds(10));

/// Polls until `condition` is true. False if it is not true within `patience_for_it`.
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

}  // namespace meridian::test
