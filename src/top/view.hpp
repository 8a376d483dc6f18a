/// The screen of `meridianctl top`, as text: what it says, not how it gets there.
#pragma once

#include "top/figures.hpp"
#include "top/styled_text.hpp"
#include "top/view_state.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace meridian::top {

inline constexpr std::size_t least_width = 40;
inline constexpr std::size_t least_height = 10;

struct ScreenSize {
  std::size_t width = 80;
  std::size_t height = 24;
};

/// How the daemon is being reached.
struct Connection {
  enum class State : std::uint8_t {
    live,
    waiting,  ///< asked, and without an answer for longer than usual
    gone,
  };
  State state = State::live;
  std::chrono::seconds since{};  ///< since its last answer, unless `live`
  std::string why;
};

struct View {
  std::vector<Line> lines;  ///< at most as many as fit, none longer than fits
  Extent scrolled;
};

/// On a screen smaller than the least, a message that says so.
[[nodiscard]] View view_of(const Figures& figures, const ViewState& state,
                           const Connection& connection, ScreenSize size);

}  // namespace meridian::top
