/// `meridianctl top` on a terminal.
#pragma once

#include "top/figures.hpp"
#include "top/loop.hpp"
#include "top/screen.hpp"
#include "top/view.hpp"
#include "top/view_state.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace meridian::top {

/// The screen is taken once there is something to show, so that a daemon that is not there is told
/// of like everywhere else. Whatever ends it: the destructor gives the terminal back.
class OnScreen final : public Loop {
 public:
  OnScreen(const std::string& socket, const Options& options);

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] boost::asio::awaitable<void> show() override;
  void resize() override;

  /// Where the daemon does not answer, says why in `why_gone_`.
  [[nodiscard]] boost::asio::awaitable<void> take_poll();
  [[nodiscard]] boost::asio::awaitable<void> wait_for_keys();
  [[nodiscard]] boost::asio::awaitable<void> keep_time_running();
  void press_keys();
  void draw();
  [[nodiscard]] Connection connection() const;

  ViewState state_;
  Figures latest_;
  std::optional<Figures> held_;  // while paused: what was shown
  std::string why_gone_;         // "" while the daemon answers
  Extent scrolled_;
  boost::asio::steady_timer second_;
  std::optional<Screen> screen_;
};

}  // namespace meridian::top
