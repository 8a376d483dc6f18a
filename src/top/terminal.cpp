// A file of its own, because <term.h> defines macros with names like `lines` and `tone`.
#include "top/terminal.hpp"

#include <curses.h>
#include <term.h>
#include <unistd.h>

namespace meridian::top {

bool is_on_terminal() {
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0) {
    return false;
  }
  int ignored = 0;
  if (::setupterm(nullptr, STDOUT_FILENO, &ignored) == ERR) {
    return false;
  }
  const bool can_move = ::tigetstr("cup") != nullptr;
  ::del_curterm(::set_curterm(nullptr));
  return can_move;
}

}  // namespace meridian::top
