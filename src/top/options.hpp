/// What `meridianctl top` is asked for.
#pragma once

#include "top/columns.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace meridian::top {

struct Options {
  std::chrono::duration<double> interval{1};
  FirstTable first{};
  bool json = false;
  std::optional<std::uint64_t> count;  ///< of intervals; no value: until the user ends it
};

}  // namespace meridian::top
