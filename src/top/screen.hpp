/// A terminal that is drawn on.
#pragma once

#include "top/styled_text.hpp"
#include "top/view.hpp"
#include "top/view_state.hpp"

#include <optional>
#include <vector>

namespace meridian::top {

/// Takes over the terminal of standard input and output, with ncurses. The destructor restores the
/// terminal as it was, with its cursor. Only one object can exist at a time. Not thread-safe.
///
/// Does not use colours if the terminal has none, or if NO_COLOR asks for that
/// (https://no-color.org).
class Screen {
 public:
  /// REQUIRES: `is_on_terminal()`. Throws std::runtime_error if ncurses cannot draw on the
  /// terminal.
  Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen();

  [[nodiscard]] ScreenSize size() const;

  /// Adapts to the size of the terminal. Call it when that has changed (SIGWINCH).
  void resize();

  /// Shows these lines, from the top, and nothing else. Leaves out what does not fit.
  void draw(const std::vector<Line>& lines);

  /// The next key that the operator has pressed; no value if there is none. Never waits.
  [[nodiscard]] std::optional<Key> read_key();

 private:
  bool has_colours_ = false;
};

}  // namespace meridian::top
