/// What both forms of `meridianctl top` share: the clock, the signals, and the questions to the
/// daemon.
#pragma once

#include "top/options.hpp"
#include "top/poller.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <string>

namespace meridian::top {

/// Runs on the thread that calls `run`, and nowhere else.
class Loop {
 public:
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  virtual ~Loop() = default;

  /// Runs until `end`, and returns the exit status. Throws whatever a coroutine throws.
  int run();

 protected:
  Loop(const std::string& socket, const Options& options);

  /// Polls the daemon and shows the figures, until `end` is called or `goes_on` returns false.
  [[nodiscard]] virtual boost::asio::awaitable<void> show() = 0;
  /// Called when the size of the terminal has changed.
  virtual void resize() {}

  [[nodiscard]] const Options& options() const noexcept { return options_; }
  [[nodiscard]] boost::asio::any_io_executor executor() { return context_.get_executor(); }

  void spawn(boost::asio::awaitable<void> task);
  [[nodiscard]] boost::asio::awaitable<Poll> poll() { return poller_.poll(); }
  /// Waits for the next interval to begin. Counts from tick to tick, so that intervals do not
  /// drift.
  [[nodiscard]] boost::asio::awaitable<void> next_interval();
  /// False once there were as many intervals as `Options::count` asks for.
  [[nodiscard]] bool goes_on(std::uint64_t intervals) const noexcept {
    return !options_.count || intervals < *options_.count;
  }
  /// Makes `run` return `status`.
  void end(int status);

 private:
  [[nodiscard]] boost::asio::awaitable<void> wait_for_signals();

  const Options options_;
  boost::asio::io_context context_{1};
  boost::asio::signal_set signals_;
  boost::asio::steady_timer tick_;
  Poller poller_;
  int status_ = 0;
};

}  // namespace meridian::top
