/// `meridianctl top` on a terminal, as `top::run` starts it.
#pragma once

#include "top/options.hpp"

#include <string>

namespace meridian::top {

/// Like `run`. Also throws std::runtime_error in a build without the screen (MERIDIAN_WITH_TOP).
[[nodiscard]] int run_on_screen(const std::string& socket, const Options& options);

}  // namespace meridian::top
