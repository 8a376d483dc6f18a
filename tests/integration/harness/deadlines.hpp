/// Waits for conditions. Nothing here just sleeps for a time that should be enough, and nothing
/// waits forever.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <thread>

namespace meridian::test {

/// The sanitizers that the programs under test are built with, from the environment; "": none.
inline const std::string_view sanitizers = [] {
  const char* const given = std::getenv("MERIDIAN_TEST_SANITIZERS");
  return given != nullptr ? std::string_view(given) : std::string_view();
}();

/// How many times slower than usual the programs run, because of sanitizers.
inline const std::uint64_t slowdown = sanitizers.empty() ? 1 : 10;

/// A load that takes no longer with sanitizers than `count` takes without.
inline std::uint64_t scaled(std::uint64_t count) {
  return count / slowdown;
}

/// A time that is long enough with sanitizers, too.
inline std::chrono::milliseconds at_most(std::chrono::milliseconds usual) {
  return usual * static_cast<std::int64_t>(slowdown);
}

/// How long to wait for anything that should take milliseconds.
inline const std::chrono::milliseconds patience = at_most(std::chrono::seconds(10));

/// Polls until `condition` returns true. Returns false if that takes longer than `patience_for_it`.
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
