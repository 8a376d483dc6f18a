/// A terminal that is drawn on.
#pragma once

#include "top/styled_text.hpp"
#include "top/view.hpp"
#include "top/view_state.hpp"

#include <optional>
#include <vector>

namespace meridian::top {

/// Takes over the terminal of standard input and output with ncurses. The destructor restores it as
/// it was, with its cursor. There can be one object at a time. Not thread-safe.
///
/// Does not use colours if the terminal has none, or if NO_COLOR asks for that
/// (https://no-color.org).
class Screen {
 public:
  /// REQUIRES: `is_on_terminal()`. Throws std::runtime_error if the terminal cannot be drawn on
  /// after all.
  Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen();

  [[nodiscard]] ScreenSize size() const;

  /// To be called when the terminal has another size (SIGWINCH).
  void resize();

  /// Shows these lines, from the top, and nothing else. What does not fit is not shown.
  void draw(const std::vector<Line>& lines);

  /// The next key that was pressed, or nothing if none was. Never waits.
  [[nodiscard]] std::optional<Key> read_key();

 private:
  bool has_colours_ = false;
};

}  // namespace meridian::top
