#include "top/screen.hpp"

#include "top/terminal_text.hpp"

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

// Declares functions and no macros, since the macros have very common names.
#define NCURSES_NOMACROS
#include <curses.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace meridian::top {

namespace {

/// Some keys send a sequence that begins with Escape. How long its rest may take to come.
constexpr int escape_delay_ms = 25;

/// What ncurses has allocated for the terminal. Only one SCREEN can be current at a time.
SCREEN* current = nullptr;

bool wants_colours() {
  const char* const no_color = std::getenv("NO_COLOR");
  return no_color == nullptr || *no_color == '\0';
}

short pair_of(Tone tone) {
  return static_cast<short>(tone);
}

attr_t attributes_of(const Style& style) {
  return (style.bold ? A_BOLD : A_NORMAL) | (style.dim ? A_DIM : A_NORMAL) |
         (style.reverse ? A_REVERSE : A_NORMAL) | (style.underline ? A_UNDERLINE : A_NORMAL);
}

bool start_colours() {
  if (!wants_colours() || !::has_colors() || ::start_color() == ERR ||
      ::use_default_colors() == ERR) {
    return false;
  }
  constexpr short of_terminal = -1;
  ::init_pair(pair_of(Tone::good), COLOR_GREEN, of_terminal);
  ::init_pair(pair_of(Tone::warning), COLOR_YELLOW, of_terminal);
  ::init_pair(pair_of(Tone::bad), COLOR_RED, of_terminal);
  return true;
}

Key key_from(int code) {
  switch (code) {
    case KEY_UP:
      return Key::up;
    case KEY_DOWN:
      return Key::down;
    case KEY_PPAGE:
      return Key::page_up;
    case KEY_NPAGE:
      return Key::page_down;
    case KEY_HOME:
      return Key::home;
    case KEY_END:
      return Key::end;
    default:
      return code >= 0 && code < 0x80 ? key_of(static_cast<char>(code)) : Key::other;
  }
}

}  // namespace

Screen::Screen() {
  std::setlocale(LC_CTYPE, "");
  current = ::newterm(nullptr, stdout, stdin);
  if (current == nullptr) {
    throw std::runtime_error("cannot draw on this terminal");
  }
  ::cbreak();
  ::noecho();
  ::nonl();
  ::curs_set(0);
  ::keypad(::stdscr, TRUE);
  ::nodelay(::stdscr, TRUE);
  ::set_escdelay(escape_delay_ms);
  has_colours_ = start_colours();
}

Screen::~Screen() {
  ::endwin();
  ::delscreen(current);
  current = nullptr;
}

ScreenSize Screen::size() const {
  return {static_cast<std::size_t>(std::max(0, ::getmaxx(::stdscr))),
          static_cast<std::size_t>(std::max(0, ::getmaxy(::stdscr)))};
}

void Screen::resize() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
    ::resizeterm(size.ws_row, size.ws_col);
  }
}

void Screen::draw(const std::vector<Line>& lines) {
  ::werase(::stdscr);
  const ScreenSize now = size();
  for (std::size_t row = 0; row < std::min(lines.size(), now.height); ++row) {
    Line line = lines[row];
    line.clip(now.width);
    ::wmove(::stdscr, static_cast<int>(row), 0);
    for (const Span& span : line.spans()) {
      const std::wstring text = to_wide(span.text);
      ::wattr_set(::stdscr, attributes_of(span.style),
                  has_colours_ ? pair_of(span.style.tone) : pair_of(Tone::plain), nullptr);
      ::waddnwstr(::stdscr, text.c_str(), static_cast<int>(text.size()));
    }
  }
  ::wattr_set(::stdscr, A_NORMAL, 0, nullptr);
  ::wrefresh(::stdscr);
}

std::optional<Key> Screen::read_key() {
  for (;;) {
    const int code = ::wgetch(::stdscr);
    if (code == ERR) {
      return std::nullopt;
    }
    if (code != KEY_RESIZE) {  // `resize` has handled it
      return key_from(code);
    }
  }
}

}  // namespace meridian::top
