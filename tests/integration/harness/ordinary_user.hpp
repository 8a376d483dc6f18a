/// Runs programs as a user whom file modes restrict.
#pragma once

#include "integration/harness/child_process.hpp"

#include <optional>
#include <string>

#include <sys/types.h>

namespace meridian::test {

/// The user as which root runs programs.
inline constexpr uid_t nobody = 65534;

/// The words in front of a program's command line that make it run as an ordinary user. Empty if
/// this process already runs as one. No value if root cannot run the program as one.
[[nodiscard]] std::optional<ChildProcess::Arguments> as_ordinary_user(const std::string& program);

}  // namespace meridian::test
