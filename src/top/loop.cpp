#include "top/loop.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>
#include <utility>

#include <signal.h>

namespace meridian::top {

namespace asio = boost::asio;

Loop::Loop(const std::string& socket, const Options& options)
    : options_(options),
      signals_(context_, SIGINT, SIGTERM, SIGHUP),
      tick_(context_),
      poller_(context_.get_executor(), socket) {
  signals_.add(SIGQUIT);
  signals_.add(SIGWINCH);
}

int Loop::run() {
  tick_.expires_after(std::chrono::seconds(0));
  spawn(wait_for_signals());
  spawn(show());
  context_.run();
  return status_;
}

void Loop::spawn(asio::awaitable<void> task) {
  asio::co_spawn(context_, std::move(task), [](const std::exception_ptr& error) {
    if (error) {
      std::rethrow_exception(error);  // out of `run`
    }
  });
}

asio::awaitable<void> Loop::next_interval() {
  const auto interval = std::chrono::duration_cast<asio::steady_timer::duration>(options_.interval);
  // The next tick is in the past if an answer took longer than the interval, or if the whole
  // process was paused. Then the interval begins at once.
  tick_.expires_at(std::max(tick_.expiry() + interval, asio::steady_timer::clock_type::now()));
  co_await tick_.async_wait(asio::use_awaitable);
}

void Loop::end(int status) {
  status_ = status;
  context_.stop();
}

asio::awaitable<void> Loop::wait_for_signals() {
  for (;;) {
    const int number = co_await signals_.async_wait(asio::use_awaitable);
    if (number != SIGWINCH) {
      end(128 + number);
      co_return;
    }
    resize();
  }
}

}  // namespace meridian::top
