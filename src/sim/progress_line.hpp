/// One line on a terminal that is drawn again and again.
#pragma once

#include <chrono>
#include <string_view>

namespace meridian::sim {

/// The shortest time between two redraws.
inline constexpr std::chrono::milliseconds redraw_every{200};

/// Draws on the standard error; silent if that is not a terminal. Control characters in a text are
/// made visible. Not thread-safe.
class ProgressLine {
 public:
  ProgressLine();

  [[nodiscard]] bool is_seen() const noexcept { return terminal_; }

  /// `share`: how much is done, from 0 to 1; as a bar in front of the text.
  void draw(double share, std::string_view text) const;
  void draw(std::string_view text) const;

  void clear() const;

 private:
  bool terminal_;
};

}  // namespace meridian::sim
