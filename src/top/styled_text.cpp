#include "top/styled_text.hpp"

#include "top/terminal_text.hpp"

#include <algorithm>

namespace meridian::top {

Line& Line::add(std::string_view text, Style style) {
  if (!text.empty()) {
    spans_.push_back({printable(text), style});
    cells_ += cells_of(spans_.back().text);
  }
  return *this;
}

Line& Line::add(const Line& other) {
  spans_.insert(spans_.end(), other.spans_.begin(), other.spans_.end());
  cells_ += other.cells_;
  return *this;
}

std::string Line::text() const {
  std::string text;
  for (const Span& span : spans_) {
    text += span.text;
  }
  return text;
}

void Line::clip(std::size_t cells) {
  if (cells_ <= cells) {
    return;
  }
  cells_ = 0;
  for (Span& span : spans_) {
    span.text = clipped(span.text, cells - cells_);
    cells_ += cells_of(span.text);
  }
  std::erase_if(spans_, [](const Span& span) { return span.text.empty(); });
}

void Line::pad(std::size_t cells, Style style) {
  if (cells_ < cells) {
    add(std::string(cells - cells_, ' '), style);
  }
}

void Line::fade() {
  for (Span& span : spans_) {
    span.style = {.dim = true};
  }
}

namespace {

std::size_t width_of(const std::vector<Piece>& pieces, std::size_t gap) {
  std::size_t cells = pieces.empty() ? 0 : (pieces.size() - 1) * gap;
  for (const Piece& piece : pieces) {
    cells += piece.full.cells();
  }
  return cells;
}

/// The lightest piece that can still become brief; null if none can.
Piece* lightest_with_brief(std::vector<Piece>& pieces) {
  Piece* lightest = nullptr;
  for (Piece& piece : pieces) {
    const bool can = piece.brief.cells() > 0;
    if (can && (lightest == nullptr || piece.weight < lightest->weight)) {
      lightest = &piece;
    }
  }
  return lightest;
}

}  // namespace

Line fitted(std::vector<Piece> pieces, std::size_t cells, std::size_t gap) {
  while (width_of(pieces, gap) > cells) {
    if (Piece* const piece = lightest_with_brief(pieces)) {
      piece->full = std::exchange(piece->brief, Line());
    } else if (pieces.size() > 1) {
      pieces.erase(std::ranges::min_element(pieces, {}, &Piece::weight));
    } else {
      break;
    }
  }
  Line line;
  for (const Piece& piece : pieces) {
    line.pad(line.cells() + (line.cells() == 0 ? 0 : gap));
    line.add(piece.full);
  }
  line.clip(cells);
  return line;
}

}  // namespace meridian::top
