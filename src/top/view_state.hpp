/// What the operator has chosen in `meridianctl top`, and what keys do.
#pragma once

#include "top/columns.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace meridian::top {

/// A key: any ASCII character, or, from 0x100 on, a special key.
enum class Key : std::uint32_t {
  tab = '\t',
  escape = 0x1B,
  space = ' ',
  question = '?',
  h = 'h',
  q = 'q',
  s = 's',
  u = 'u',
  up = 0x100,
  down,
  page_up,
  page_down,
  home,
  end,
  other,
};

[[nodiscard]] constexpr Key key_of(char character) noexcept {
  return static_cast<Key>(static_cast<unsigned char>(character));
}

/// What can be scrolled: `count` lines, of which the screen has room for `room`.
struct Extent {
  std::size_t count = 0;
  std::size_t room = 0;

  /// The highest index that the first line on the screen can have.
  [[nodiscard]] std::size_t last_first() const noexcept { return count > room ? count - room : 0; }
};

/// Not thread-safe.
class ViewState {
 public:
  explicit ViewState(FirstTable first);

  /// Does what a key is for. `shown` is `View::scrolled` of the last view. Returns false if the key
  /// ends the program.
  [[nodiscard]] bool press(Key key, Extent shown);

  [[nodiscard]] TableKind table() const noexcept { return table_; }
  [[nodiscard]] Sort sort() const noexcept { return chosen().sort; }
  /// The index of the first row to show, or of the first line of the help. It may be beyond the
  /// last one, since rows may have gone meanwhile.
  [[nodiscard]] std::size_t first() const noexcept {
    return help_ ? first_of_help_ : chosen().first;
  }
  [[nodiscard]] bool help() const noexcept { return help_; }
  [[nodiscard]] bool paused() const noexcept { return paused_; }

 private:
  struct Table {
    Sort sort{};
    std::size_t first = 0;
  };

  [[nodiscard]] const Table& chosen() const noexcept {
    return tables_[static_cast<std::size_t>(table_)];
  }
  [[nodiscard]] Table& chosen() noexcept { return tables_[static_cast<std::size_t>(table_)]; }

  bool scroll(Key key, Extent shown);
  void show_help(bool help);
  void sort_by_letter(Key key);

  TableKind table_;
  std::array<Table, 2> tables_;
  std::size_t first_of_help_ = 0;
  bool help_ = false;
  bool paused_ = false;
};

}  // namespace meridian::top
