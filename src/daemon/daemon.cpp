#include "daemon/daemon.hpp"

#include "daemon/housekeeping.hpp"
#include "runtime/nearest_executor.hpp"
#include "runtime/rethrow.hpp"
#include "runtime/run_on_threads.hpp"
#include "status/version.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

namespace meridian::daemon {

namespace {

/// Everything that a stop waits for takes milliseconds; whatever hangs is given up then.
constexpr std::chrono::seconds stop_deadline{4};

std::size_t thread_count(std::size_t configured) {
  return configured != 0 ? configured
                         : std::max<std::size_t>(2, std::thread::hardware_concurrency());
}

void log_end(const AggregatorStats& stats) {
  const Ledger& ledger = stats.ledger;
  std::uint64_t dropped = 0;
  for (const std::uint64_t frames : ledger.dropped) {
    dropped += frames;
  }
  spdlog::info(
      "stopped: {} frames ({} octets) remained; of {} received, {} were drained, {} "
      "flushed, {} dropped",
      ledger.buffered, stats.buffer.now.bytes, ledger.received, ledger.drained, ledger.flushed,
      dropped);
}

}  // namespace

Daemon::Daemon(const Config& config)
    : signals_(asio::make_strand(control_context_), SIGTERM, SIGINT),
      deadline_(control_context_),
      housekeeping_(signals_.get_executor()),
      sessions_(control_context_.get_executor()) {
  contexts_.push_back(&control_context_);
  std::vector<asio::any_io_executor> uplink_executors;
  for (std::size_t i = 0; i < thread_count(config.threads); ++i) {
    Context& context = uplink_contexts_.emplace_back(1);
    contexts_.push_back(&context);
    kept_running_.emplace_back(context.get_executor());
    uplink_executors.emplace_back(context.get_executor());
  }
  aggregator_ = spawn_aggregator(runtime::NearestExecutor(contexts_), config.aggregator);
  spdlog::info("meridiand {} starts with {} threads for uplinks", status::version,
               uplink_executors.size());
  control_ = std::make_shared<control::Server>(control_context_.get_executor(), config.control,
                                               *aggregator_, uplinks_);
  for (const uplink::ListenerOptions& options : config.uplinks) {
    listeners_.push_back(std::make_shared<uplink::Listener>(uplink_executors, options, *aggregator_,
                                                            uplinks_, sessions_));
  }
}

Daemon::~Daemon() {
  control_context_.shutdown();
  std::ranges::for_each(uplink_contexts_, &Context::shutdown);
}

int Daemon::run() {
  const auto strand = signals_.get_executor();
  asio::co_spawn(strand, wait_for_signal(), runtime::rethrow);
  asio::co_spawn(strand, housekeeping_.run(*aggregator_), runtime::rethrow);
  control_->start();
  for (const auto& listener : listeners_) {
    listener->start();
  }
  asio::post(strand, [] { spdlog::info("ready"); });
  runtime::run_on_threads(contexts_);
  return exit_status_;
}

asio::awaitable<void> Daemon::wait_for_signal() {
  const auto [ec, signal] = co_await signals_.async_wait(asio::as_tuple(asio::use_awaitable));
  spdlog::info("stopping on {}", signal == SIGTERM ? "SIGTERM" : "SIGINT");
  give_up_after_deadline();
  co_await stop_in_order();
  deadline_.cancel();
}

asio::awaitable<void> Daemon::stop_in_order() {
  for (const auto& listener : listeners_) {
    listener->stop();
  }
  sessions_.stop();
  // Sessions that wait for room must get it: nobody drains any more.
  std::ignore = co_await aggregator_->release_backpressure();
  co_await sessions_.wait_empty();
  control_->stop();
  co_await control_->wait_stopped();
  housekeeping_.stop();

  const auto drops = co_await aggregator_->take_drop_report();
  const auto stats = co_await aggregator_->shut_down();
  if (drops && stats) {
    log_drops(*drops);
    log_end(*stats);
  }
  kept_running_.clear();  // the aggregator was the last work
}

void Daemon::give_up_after_deadline() {
  deadline_.expires_after(stop_deadline);
  deadline_.async_wait([this](const error_code& cancelled) {
    if (!cancelled) {
      spdlog::critical("cannot stop in order within {} s: giving up", stop_deadline.count());
      exit_status_ = 1;
      std::ranges::for_each(contexts_, &asio::io_context::stop);
    }
  });
}

}  // namespace meridian::daemon
