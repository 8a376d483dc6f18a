#include "daemon/stop_deadline.hpp"

#include <boost/system/error_code.hpp>
#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

namespace meridian::daemon {

namespace {

constexpr std::chrono::seconds tick_interval{1};
constexpr unsigned peers_deadline = 4;  // in ticks
constexpr unsigned last_deadline = 2 * peers_deadline;

}  // namespace

StopDeadline::StopDeadline(const asio::any_io_executor& executor, Steps steps)
    : timer_(executor), steps_(std::move(steps)) {}

void StopDeadline::begin() {
  timer_.expires_after(tick_interval);
  timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled && !ended_) {
      tick();
      begin();
    }
  });
}

void StopDeadline::end() {
  ended_ = true;
  timer_.cancel();
}

bool StopDeadline::has_passed() const noexcept {
  return ticks_ >= peers_deadline;
}

void StopDeadline::tick() {
  ++ticks_;
  if (ticks_ == peers_deadline) {
    spdlog::critical(
        "some sessions, clients or sinks did not end within {} s: stopping without them",
        peers_deadline);
    steps_.give_up_peers();
  } else if (ticks_ == last_deadline) {
    spdlog::critical("the aggregator did not end: giving up; the frames that it holds are lost");
    steps_.give_up_all();
  }
}

}  // namespace meridian::daemon
