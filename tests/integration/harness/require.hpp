/// Conditions without which a test cannot go on.
#pragma once

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

namespace meridian::test {

/// Throws std::runtime_error with `what` if `holds` is false.
inline void require(bool holds, const char* what) {
  if (!holds) {
    throw std::runtime_error(what);
  }
}

/// Throws std::system_error with `errno` and `what` if a system call has failed: if `ok` is false.
inline void require_call(bool ok, const std::string& what) {
  if (!ok) {
    throw std::system_error(errno, std::generic_category(), what);
  }
}

}  // namespace meridian::test
