// An orderly stop: the parts end one after the other, and what is left is saved.
#include "aggregator/maintenance.hpp"
#include "daemon/daemon.hpp"
#include "daemon/housekeeping.hpp"
#include "daemon/reports.hpp"
#include "runtime/log.hpp"
#include "runtime/peer_lines.hpp"

#include <boost/asio/awaitable.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <tuple>

namespace meridian::daemon {

namespace log = runtime::log;

asio::awaitable<void> Daemon::stop_parts() {
  reloads_.stop();
  listeners_->stop();
  // Sessions that wait for room must get it, even if nothing drains any more.
  std::ignore = co_await aggregator::Maintenance(*aggregator_).release_backpressure();
  co_await listeners_->wait_stopped();
  control_->stop();
  co_await control_->wait_stopped();
  if (http_) {
    http_->stop();
    co_await http_->wait_stopped();
  }
  for (const std::shared_ptr<runtime::Part>& each : sinks_) {
    each->stop();
  }
  for (const std::shared_ptr<runtime::Part>& each : sinks_) {
    co_await each->wait_stopped();
  }
}

asio::awaitable<void> Daemon::save_what_is_left() {
  housekeeping_.stop();
  heartbeat_.stop();
  const auto drops = co_await aggregator::Maintenance(*aggregator_).take_drop_report();
  auto last = co_await aggregator_->shut_down();
  deadline_.end();  // a large state may take long to write
  if (last) {
    log::tell_left_out(runtime::PeerLines::Clock::time_point::max());
    const Saved saved = save_state(last->saved);
    log_drops(drops ? *drops : aggregator::DropReport{});
    log_end(last->stats, saved);
    if (!last->stats.ledger.balanced()) {
      spdlog::critical(
          "the ledger does not balance, which is an internal error: the next start begins a new "
          "ledger; report this");
      exit_status_ = 1;
    }
  } else {
    spdlog::critical("the aggregator ended before the daemon: the frames that it held are lost");
    exit_status_ = 1;
  }
}

void Daemon::let_go() {
  notifier_.close();
  kept_running_.clear();  // the aggregator was the last to run
  if (deadline_.has_passed()) {
    stop_contexts();  // what was given up may still keep them running
  }
}

Saved Daemon::save_state(const SavedState& saved) {
  if (!state_) {
    return Saved::nowhere;
  }
  try {
    state_->save(saved);
    return Saved::all;
  } catch (const std::exception& error) {
    spdlog::critical("{}; of the {} frames in the buffer, those not written are lost", error.what(),
                     saved.ledger ? saved.ledger->buffered : 0);
    exit_status_ = 1;
    return Saved::not_all;
  }
}

void Daemon::give_up_peers() {
  exit_status_ = 1;
  listeners_->give_up();
  control_->give_up();
  if (http_) {
    http_->give_up();
  }
  std::ranges::for_each(sinks_, [](const auto& each) { each->give_up(); });
}

void Daemon::stop_contexts() {
  std::ranges::for_each(all_contexts(), &asio::io_context::stop);
}

}  // namespace meridian::daemon
