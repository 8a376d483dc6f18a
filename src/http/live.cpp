#include "http/live.hpp"

#include "aggregator/maintenance.hpp"
#include "runtime/faults.hpp"
#include "runtime/rethrow.hpp"
#include "runtime/use_tuple.hpp"
#include "status/origin_pages.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <string_view>
#include <tuple>
#include <utility>

namespace meridian::http {

namespace {

using runtime::use_tuple;
constexpr std::size_t origins_per_step = 4096;

Live::Text event(std::string_view name, std::string_view data) {
  return std::make_shared<const std::string>(fmt::format("event: {}\ndata: {}\n\n", name, data));
}

}  // namespace

Live::Live(const asio::any_io_executor& executor, const status::Sources& sources)
    : sources_(sources), tick_(asio::make_strand(executor)), changed_(tick_.get_executor()) {
  changed_.expires_at(asio::steady_timer::time_point::max());
}

void Live::start() {
  asio::co_spawn(tick_.get_executor(), run(shared_from_this()), runtime::rethrow);
}

void Live::stop() {
  asio::dispatch(tick_.get_executor(), [self = shared_from_this()] {
    self->stopped_ = true;
    self->latest_.reset();
    self->tick_.cancel();
    self->changed_.cancel();
  });
}

asio::awaitable<boost::system::result<aggregator::Peaks>> Live::peaks() {
  co_return co_await asio::co_spawn(tick_.get_executor(), add_peaks(shared_from_this()),
                                    asio::use_awaitable);
}

asio::awaitable<Live::Text> Live::history() {
  co_return co_await asio::co_spawn(tick_.get_executor(), make_history(shared_from_this()),
                                    asio::use_awaitable);
}

asio::awaitable<Live::Text> Live::next_snapshot() {
  co_return co_await asio::co_spawn(tick_.get_executor(), wait_for_snapshot(shared_from_this()),
                                    asio::use_awaitable);
}

asio::awaitable<boost::system::result<aggregator::Peaks>> Live::add_peaks(
    std::shared_ptr<Live> live) {
  const auto taken = co_await aggregator::Maintenance(live->sources_.aggregator).take_peaks();
  if (!taken) {
    co_return taken.error();
  }
  const auto now = PeakWindow::Clock::now();
  live->peaks_.add(*taken, now);
  co_return live->peaks_.most(now);
}

asio::awaitable<Live::Text> Live::make_history(std::shared_ptr<Live> live) {
  co_return event("history", encode_history(live->points_));
}

asio::awaitable<Live::Text> Live::wait_for_snapshot(std::shared_ptr<Live> live) {
  if (live->stopped_) {
    co_return nullptr;
  }
  ++live->waiting_;
  std::ignore = co_await live->changed_.async_wait(use_tuple);
  --live->waiting_;
  co_return live->latest_;
}

asio::awaitable<void> Live::run(std::shared_ptr<Live> live) {
  live->tick_.expires_after(std::chrono::seconds(0));
  while (!live->stopped_) {
    try {
      co_await live->look();
    } catch (...) {
      runtime::Faults::of_process().note(runtime::FaultOf::http, "a snapshot for the page",
                                         std::current_exception());
    }
    if (live->stopped_) {  // stopped while the aggregator was asked
      break;
    }
    // Counts from tick to tick, so that delays do not add up. After a pause of the whole process,
    // counts from now.
    const auto next = live->tick_.expiry() + std::chrono::seconds(1);
    live->tick_.expires_at(std::max(next, asio::steady_timer::clock_type::now()));
    std::ignore = co_await live->tick_.async_wait(use_tuple);
  }
}

asio::awaitable<void> Live::look() {
  auto stats = co_await sources_.stats();
  if (!stats) {
    co_return;
  }
  const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  points_.push_back(history_point(stats->aggregator, now));
  if (points_.size() > history_points) {
    points_.pop_front();
  }
  std::ignore = co_await add_peaks(shared_from_this());
  if (waiting_ > 0) {
    co_await make_snapshot(*std::move(stats), now);
  }
}

asio::awaitable<void> Live::make_snapshot(status::Stats stats, ReceiveTime now) {
  SatelliteRows satellites(sources_.silence.silent());
  status::OriginPages pages(sources_.aggregator, origins_per_step);
  while (!pages.at_end()) {
    const auto page = co_await pages.next();
    if (!page) {
      co_return;
    }
    satellites.add(page->rows);
  }
  if (stopped_) {
    co_return;
  }
  const std::string text = encode_snapshot({.at = now,
                                            .stats = std::move(stats),
                                            .uplinks = sources_.uplinks.snapshot(),
                                            .satellites = std::move(satellites)});
  latest_ = event("snapshot", text);
  changed_.cancel();
}

}  // namespace meridian::http
