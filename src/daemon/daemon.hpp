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

  /// Where it did not stop in order, what is left in one context refers to the others: all of it
  /// goes before any of them does.
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

 private:
  class Context : public asio::io_context {
   public:
    using asio::io_context::io_context;
    using asio::io_context::shutdown;  // destroys what waits in it
  };

  [[nodiscard]] asio::awaitable<void> wait_for_signal();
  [[nodiscard]] asio::awaitable<void> stop_in_order();
  void give_up_after_deadline();

  runtime::NearestExecutor::Contexts contexts_;  // those that follow, the control socket's first
  std::deque<Context> uplink_contexts_;
  Context control_context_{1};
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
