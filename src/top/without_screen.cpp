// Replaces the sources that draw on a terminal in a build without ncurses (MERIDIAN_WITH_TOP).
#include "top/run_on_screen.hpp"
#include "top/terminal.hpp"

#include <stdexcept>

#include <unistd.h>

namespace meridian::top {

bool is_on_terminal() {
  return ::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0;
}

int run_on_screen(const std::string& /*socket*/, const Options& /*options*/) {
  throw std::runtime_error(
      "top: this meridianctl was built without ncurses (MERIDIAN_WITH_TOP=OFF); for one line per "
      "interval, give --json or redirect the output");
}

}  // namespace meridian::top
