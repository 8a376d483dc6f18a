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

/// Shows what the daemon does: on a screen if there is one and JSON is not asked for, otherwise in
/// lines. Returns the exit status: 0 if the operator or `count` ended it, 128 + the number of the
/// signal if one did. Throws std::runtime_error if there is no daemon; on a screen only if there
/// was none at the start.
int run(const std::string& socket, const Options& options);

}  // namespace meridian::top
