/// `meridianctl top`.
#pragma once

#include "ctl/top_columns.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace meridian::ctl {

struct TopOptions {
  std::chrono::duration<double> interval{1};
  FirstTable first{};
  bool json = false;
  std::optional<std::uint64_t> count;  ///< intervals; nothing: until it is ended
};

/// Shows what the daemon does, on a screen where there is one and JSON is not asked for, else in
/// lines. Returns the exit status: 0 where the operator or `count` ended it, 128 + its number where
/// a signal did. Throws std::runtime_error where there is no daemon; on a screen only if there was
/// none from the start.
int top(const std::string& socket, const TopOptions& options);

}  // namespace meridian::ctl
