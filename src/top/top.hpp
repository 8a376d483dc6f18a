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
  std::optional<std::uint64_t> count;  ///< of intervals; no value: until the user ends it
};

/// Shows what the daemon does: on the screen if there is one and `json` is false, otherwise in lines.
/// Returns the exit status: 0 if the operator or `count` has ended it; if a signal has, 128 + the
/// number of the signal. Throws std::runtime_error if the daemon does not answer; on the screen, only
/// if it has not answered at the start.
int run(const std::string& socket, const Options& options);

}  // namespace meridian::top
