#include "top/on_screen.hpp"

#include "top/run_on_screen.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <sys/epoll.h>
#include <unistd.h>

namespace meridian::top {

namespace asio = boost::asio;

namespace {

/// Makes a descriptor that becomes readable when the terminal does. Asio must not get the
/// terminal's own descriptor, since it would make the terminal non-blocking. This would hold for
/// every program that has the terminal open, even the shell. Output would then fail while the
/// terminal is slow.
int open_watch_on(int descriptor) {
  const int watch = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  if (watch == -1 || ::epoll_ctl(watch, EPOLL_CTL_ADD, descriptor, &event) == -1) {
    throw std::system_error(errno, std::generic_category(), "cannot wait for keys");
  }
  return watch;
}

}  // namespace

OnScreen::OnScreen(const std::string& socket, const Options& options)
    : Loop(socket, options), state_(options.first), second_(executor()) {}

asio::awaitable<void> OnScreen::show() {
  const Poll first = co_await poll();
  latest_ = figures_of(first, nullptr);
  screen_.emplace();
  spawn(wait_for_keys());
  spawn(keep_time_running());
  draw();
  for (std::uint64_t intervals = 0; goes_on(intervals); ++intervals) {
    co_await next_interval();
    co_await take_poll();
    draw();
  }
  end(0);
}

asio::awaitable<void> OnScreen::take_poll() {
  try {
    const Poll next = co_await poll();
    latest_ = figures_of(next, &latest_);
    why_gone_.clear();
  } catch (const NoAnswer& error) {
    why_gone_ = error.what();
  }
}

asio::awaitable<void> OnScreen::wait_for_keys() {
  asio::posix::stream_descriptor keys(executor(), open_watch_on(STDIN_FILENO));
  for (;;) {
    co_await keys.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
    press_keys();
  }
}

/// Redraws every second while the daemon does not answer, so that the operator sees for how long.
asio::awaitable<void> OnScreen::keep_time_running() {
  for (;;) {
    second_.expires_after(std::chrono::seconds(1));
    co_await second_.async_wait(asio::use_awaitable);
    if (connection().state != Connection::State::live) {
      draw();
    }
  }
}

void OnScreen::press_keys() {
  bool pressed = false;
  while (const std::optional<Key> key = screen_->read_key()) {
    pressed = true;
    const bool was_paused = state_.paused();
    if (!state_.press(*key, scrolled_)) {
      end(0);
      return;
    }
    if (state_.paused() && !was_paused) {
      held_ = latest_;
    } else if (!state_.paused()) {
      held_.reset();
    }
  }
  if (!pressed && ::isatty(STDIN_FILENO) == 0) {
    throw std::runtime_error("the terminal is gone");  // its descriptor would stay readable forever
  }
  draw();
}

void OnScreen::resize() {
  if (screen_) {
    screen_->resize();
    draw();
  }
}

Connection OnScreen::connection() const {
  const auto since = Clock::now() - latest_.taken;
  const auto usual = 2 * options().interval + std::chrono::seconds(1);
  Connection connection{.since = std::chrono::floor<std::chrono::seconds>(since), .why = why_gone_};
  connection.state = !why_gone_.empty() ? Connection::State::gone
                     : since > usual    ? Connection::State::waiting
                                        : Connection::State::live;
  return connection;
}

void OnScreen::draw() {
  const View view = view_of(held_ ? *held_ : latest_, state_, connection(), screen_->size());
  scrolled_ = view.scrolled;
  screen_->draw(view.lines);
}

int run_on_screen(const std::string& socket, const Options& options) {
  return OnScreen(socket, options).run();
}

}  // namespace meridian::top
