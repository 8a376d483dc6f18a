/// Messages of a program to its user.
#pragma once

#include <cstdio>
#include <string>

namespace meridian::runtime {

/// Writes a line to the standard error. Where that fails there is nobody to tell, and no reason to
/// do anything else than what is being done.
inline void complain(const std::string& text) {
  std::fputs((text + "\n").c_str(), stderr);
}

}  // namespace meridian::runtime
