/// `meridianctl top`.
#pragma once

#include "top/columns.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace meridian::top {

struct Options {
  std::chrono::duration<double> interval{1};
  FirstTable first{};
  bool json = false;
  std::optional<std::uint64_t> count;  ///< intervals; nothing: until it is ended
};

/// Shows what the daemon does, on a screen where there is one and JSON is not asked for, else in
/// lines. Returns the exit status: 0 where the operator or `count` ended it, 128 + its number where
/// a signal did. Throws std::runtime_error where there is no daemon; on a screen only if there was
/// none from the start.
int run(const std::string& socket, const Options& options);

}  // namespace meridian::top
