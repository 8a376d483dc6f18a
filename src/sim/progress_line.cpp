#include "sim/progress_line.hpp"

#include "runtime/printable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>

#include <unistd.h>

namespace meridian::sim {

ProgressLine::ProgressLine() : terminal_(::isatty(STDERR_FILENO) == 1) {}

void ProgressLine::draw(double share, std::string_view text) const {
  constexpr std::size_t width = 30;
  const double done = std::clamp(share, 0.0, 1.0);
  const auto full = static_cast<std::size_t>(done * static_cast<double>(width));
  draw(fmt::format("[{:#<{}}{:.<{}}] {:3.0f} %  {}", "", full, "", width - full, done * 100, text));
}

void ProgressLine::draw(std::string_view text) const {
  if (terminal_) {
    // The text may quote a server, which must not control the terminal.
    fmt::print(stderr, "\r{}\x1b[K", runtime::printable(text));
    std::fflush(stderr);
  }
}

void ProgressLine::clear() const {
  draw("");
}

}  // namespace meridian::sim
