/// The screen of `meridianctl top` as text: what it says, but not how a terminal shows it.
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

/// Whether the daemon answers.
struct Connection {
  enum class State : std::uint8_t {
    live,
    waiting,  ///< the daemon has not answered for longer than usual
    gone,     ///< the last poll failed
  };
  State state = State::live;
  std::chrono::seconds since{};  ///< how long ago the last answer came
  std::string why;               ///< why the last poll failed; "" unless `gone`
};

struct View {
  std::vector<Line> lines;  ///< no more than the screen's height, none longer than its width
  Extent scrolled;
};

/// What the screen shows. If it is smaller than `least_width` by `least_height`, only a message
/// that says so.
[[nodiscard]] View view_of(const Figures& figures, const ViewState& state,
                           const Connection& connection, ScreenSize size);

}  // namespace meridian::top
