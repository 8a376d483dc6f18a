/// Messages from a program to its user.
#pragma once

#include "runtime/printable.hpp"

#include <cstdio>
#include <string>

#include <poll.h>
#include <unistd.h>

namespace meridian::runtime {

/// Writes a line to standard error, made printable. If that fails, or the reader takes nothing for
/// a second, the line is dropped: there is no other place to report it, and no reason to stop the
/// program.
inline void complain(const std::string& text) {
  constexpr int patience_ms = 1000;
  pollfd room{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  if (::poll(&room, 1, patience_ms) != 0) {
    std::fputs((printable(text) + "\n").c_str(), stderr);
  }
}

}  // namespace meridian::runtime
