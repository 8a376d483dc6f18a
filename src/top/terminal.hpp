/// The terminal that this program was started on.
#pragma once

namespace meridian::top {

/// Whether standard input and output are a terminal, and `top` can draw on it. The terminfo
/// database must know the terminal ($TERM), and it must be able to move the cursor. A build without
/// ncurses asks only whether they are a terminal.
[[nodiscard]] bool is_on_terminal();

}  // namespace meridian::top
