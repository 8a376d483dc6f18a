/// Runs programs as a user whom file modes restrict.
#pragma once

#include "integration/harness/child_process.hpp"

#include <optional>
#include <string>

#include <sys/types.h>

namespace meridian::test {

/// The user that root runs programs as.
inline constexpr uid_t nobody = 65534;

/// What to put in front of a program's command line so that it runs as an ordinary user. Empty if
/// this process already does. No value if root cannot run it that way.
[[nodiscard]] std::optional<ChildProcess::Arguments> as_ordinary_user(const std::string& program);

}  // namespace meridian::test
