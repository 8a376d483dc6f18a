/// Text that stands out on any terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace meridian::top {

enum class Tone : std::uint8_t { plain, good, warning, bad };

/// How text looks. Without colours the tone is lost. So text that must be seen is also reversed,
/// and contains a sign.
struct Style {
  Tone tone = Tone::plain;
  bool bold = false;
  bool dim = false;
  bool reverse = false;
  bool underline = false;

  friend bool operator==(const Style&, const Style&) = default;
};

inline constexpr Style alarm_style{.tone = Tone::bad, .bold = true, .reverse = true};

/// The sign in front of an alarm.
inline constexpr std::string_view alarm_sign = "!";

struct Span {
  std::string text;
  Style style{};
};

/// One line, made of spans. Makes all text that is added printable.
class Line {
 public:
  Line() = default;
  explicit Line(std::string_view text, Style style = {}) { add(text, style); }

  Line& add(std::string_view text, Style style = {});
  Line& add(const Line& other);

  [[nodiscard]] const std::vector<Span>& spans() const noexcept { return spans_; }
  [[nodiscard]] std::size_t cells() const noexcept { return cells_; }
  [[nodiscard]] std::string text() const;

  /// Cuts the line off after `cells` cells.
  void clip(std::size_t cells);
  /// Adds blanks until the line has `cells` cells.
  void pad(std::size_t cells, Style style = {});
  /// Dims the line, so that nothing in it stands out any more.
  void fade();

 private:
  std::vector<Span> spans_;
  std::size_t cells_ = 0;
};

/// A part of a line, which can become brief or be left out.
struct Piece {
  Line full;
  Line brief{};    ///< says the same as `full` in less room; empty if there is no such form
  int weight = 0;  ///< the lightest pieces give way first
};

/// The pieces in order, with `gap` blanks between them. As long as they do not fit into `cells`,
/// one piece after another becomes brief, and then one after another is left out.
[[nodiscard]] Line fitted(std::vector<Piece> pieces, std::size_t cells, std::size_t gap = 2);

}  // namespace meridian::top
