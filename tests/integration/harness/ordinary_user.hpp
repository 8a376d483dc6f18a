/// Running programs as somebody whom file modes stop.
#pragma once

#include "integration/harness/child_process.hpp"

#include <optional>
#include <string>

#include <sys/types.h>

namespace meridian::testing {

/// Whom root's programs are run as.
inline constexpr uid_t nobody = 65534;

/// What to put in front of a program's command line so that an ordinary user runs it: nothing if
/// this process is one's. No value where root cannot have it run so.
[[nodiscard]] std::optional<ChildProcess::Arguments> as_ordinary_user(const std::string& program);

}  // namespace meridian::testing
