#include "top/view_state.hpp"

#include <algorithm>
#include <span>

namespace meridian::top {

ViewState::ViewState(FirstTable first)
    : table_(first.kind),
      tables_{Table{.sort = {.key = ColumnKey::satellite}}, Table{.sort = {.key = ColumnKey::id}}} {
  chosen().sort = first.sort;
}

bool ViewState::press(Key key, Extent shown) {
  if (scroll(key, shown)) {
    return true;
  }
  switch (key) {
    case Key::q:
      return false;
    case Key::h:
    case Key::question:
      show_help(!help_);
      break;
    case Key::escape:
      show_help(false);
      break;
    case Key::tab:
      table_ = table_ == TableKind::satellites ? TableKind::uplinks : TableKind::satellites;
      show_help(false);
      break;
    case Key::s:
      table_ = TableKind::satellites;
      show_help(false);
      break;
    case Key::u:
      table_ = TableKind::uplinks;
      show_help(false);
      break;
    case Key::space:
      paused_ = !paused_;
      break;
    default:
      sort_by_letter(key);
      break;
  }
  return true;
}

bool ViewState::scroll(Key key, Extent shown) {
  std::size_t& first = help_ ? first_of_help_ : chosen().first;
  const std::size_t last = shown.last_first();
  const std::size_t page = std::max<std::size_t>(shown.room, 1);
  const std::size_t now = std::min(first, last);
  const auto back = [&](std::size_t lines) { return now - std::min(now, lines); };
  switch (key) {
    case Key::up:
      first = back(1);
      return true;
    case Key::down:
      first = std::min(now + 1, last);
      return true;
    case Key::page_up:
      first = back(page);
      return true;
    case Key::page_down:
      first = std::min(now + page, last);
      return true;
    case Key::home:
      first = 0;
      return true;
    case Key::end:
      first = last;
      return true;
    default:
      return false;
  }
}

void ViewState::show_help(bool help) {
  help_ = help;
  first_of_help_ = 0;
}

void ViewState::sort_by_letter(Key key) {
  const std::span<const Column> columns = columns_of(table_);
  const auto column =
      std::ranges::find(columns, key, [](const Column& each) { return key_of(each.letter); });
  if (column == columns.end()) {
    return;
  }
  Sort& sort = chosen().sort;
  const bool again = sort.key == column->key;
  sort = {column->key, again ? !sort.descending : column->largest_first};
  show_help(false);
}

}  // namespace meridian::top
