/// One line on a terminal that is drawn again and again.
#pragma once

#include <chrono>
#include <string_view>

namespace meridian::sim {

/// The shortest time between two redraws.
inline constexpr std::chrono::milliseconds redraw_every{200};

/// Draws on the standard error; silent if that is not a terminal. Makes control characters in a
/// text visible. Not thread-safe.
class ProgressLine {
 public:
  ProgressLine();

  [[nodiscard]] bool is_seen() const noexcept { return terminal_; }

  /// Draws a bar in front of the text. `share` is how much is done, from 0 to 1.
  void draw(double share, std::string_view text) const;
  void draw(std::string_view text) const;

  void clear() const;

 private:
  bool terminal_;
};

}  // namespace meridian::sim
