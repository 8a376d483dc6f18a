/// `meridianctl top`.
#pragma once

#include "top/options.hpp"

#include <string>

namespace meridian::top {

/// Shows what the daemon does: on the screen if there is one and `json` is false, otherwise in
/// lines. Returns the exit status: 0 if the operator or `count` has ended it; if a signal has, 128
/// plus the number of the signal. Throws std::runtime_error if the daemon does not answer; on the
/// screen, only if it has not answered at the start.
int run(const std::string& socket, const Options& options);

}  // namespace meridian::top
