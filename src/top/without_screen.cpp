// Stands in for what draws on a terminal in a build without ncurses (MERIDIAN_WITH_TOP).
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
      "top: this meridianctl was built without the screen (MERIDIAN_WITH_TOP); give --json, or "
      "send "
      "the output to a file or a pipe, for a line each interval");
}

}  // namespace meridian::top
