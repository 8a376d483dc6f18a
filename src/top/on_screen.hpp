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

/// Takes over the screen only once there is something to show. So if there is no daemon, the user
/// sees the same error as from every other command. The destructor restores the terminal, whatever
/// ends the program.
class OnScreen final : public Loop {
 public:
  OnScreen(const std::string& socket, const Options& options);

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] boost::asio::awaitable<void> show() override;
  void resize() override;

  /// Takes the next poll. If the daemon does not answer, puts the reason into `why_gone_`.
  [[nodiscard]] boost::asio::awaitable<void> take_poll();
  [[nodiscard]] boost::asio::awaitable<void> wait_for_keys();
  [[nodiscard]] boost::asio::awaitable<void> keep_time_running();
  void press_keys();
  void draw();
  [[nodiscard]] Connection connection() const;

  ViewState state_;
  Figures latest_;
  std::optional<Figures> held_;  // while paused: the figures at the beginning of the pause
  std::string why_gone_;         // "" while the daemon answers
  Extent scrolled_;
  boost::asio::steady_timer second_;
  std::optional<Screen> screen_;
};

}  // namespace meridian::top
