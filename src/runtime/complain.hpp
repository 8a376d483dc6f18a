/// Messages of a program to its user.
#pragma once

#include "runtime/printable.hpp"

#include <cstdio>
#include <string>

#include <poll.h>
#include <unistd.h>

namespace meridian::runtime {

/// Writes a line to the standard error, printable. Where that fails, or nobody reads it for a
/// second, there is nobody to tell, and no reason to do anything else than what is being done.
inline void complain(const std::string& text) {
  constexpr int patience_ms = 1000;
  pollfd room{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  if (::poll(&room, 1, patience_ms) != 0) {
    std::fputs((printable(text) + "\n").c_str(), stderr);
  }
}

}  // namespace meridian::runtime
