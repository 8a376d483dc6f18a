/// The terminal that this program was started on.
#pragma once

namespace meridian::top {

/// Whether standard input and output are a terminal that can be drawn on: one that the terminfo
/// database knows ($TERM), and on which the cursor can be moved.
[[nodiscard]] bool is_on_terminal();

}  // namespace meridian::top
