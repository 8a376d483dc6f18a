/// The one place where everything is put together.
#pragma once

#include "control/server.hpp"
#include "daemon/config.hpp"
#include "daemon/housekeeping.hpp"
#include "runtime/nearest_executor.hpp"
#include "runtime/stop_group.hpp"
#include "status/uplink_table.hpp"
#include "uplink/listener.hpp"

#include <meridian/aggregator.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace meridian::daemon {

/// All parts of a running daemon.
///
/// Threads: `run` runs each execution context on a thread, one of them the calling thread. Uplinks
/// are spread over all but the first, which the control socket has for itself: so it never waits
/// behind a read. The aggregator's strand runs on whichever thread has something for it.
class Daemon {
 public:
  /// Opens the listeners and the control socket. Throws where one cannot be had.
  explicit Daemon(const Config& config);

  /// Serves until SIGTERM or SIGINT, then stops in order: accepts no more, lets sessions hand over
  /// what they have read, takes what is in the channel, and logs what remains. Returns the exit
  /// status.
  [[nodiscard]] int run();

 private:
  [[nodiscard]] asio::awaitable<void> wait_for_signal();
  [[nodiscard]] asio::awaitable<void> stop_in_order();
  void give_up_after_deadline();

  // The control socket's is destroyed first: the aggregator's channels are in it, and wake senders
  // when they go.
  std::deque<asio::io_context> uplink_contexts_;
  asio::io_context control_context_{1};
  runtime::NearestExecutor::Contexts contexts_;  // all of them, the control socket's first
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> kept_running_;
  asio::signal_set signals_;
  asio::steady_timer deadline_;
  Housekeeping housekeeping_;

  status::UplinkTable uplinks_;
  runtime::StopGroup<uplink::Session> sessions_;
  std::optional<AggregatorHandle> aggregator_;
  std::vector<std::shared_ptr<uplink::Listener>> listeners_;
  std::shared_ptr<control::Server> control_;
  int exit_status_ = 0;
};

}  // namespace meridian::daemon
