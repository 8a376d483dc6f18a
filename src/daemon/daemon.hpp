/// The one place where everything is put together.
#pragma once

#include "control/server.hpp"
#include "daemon/config.hpp"
#include "daemon/housekeeping.hpp"
#include "runtime/stop_group.hpp"
#include "status/uplink_table.hpp"
#include "uplink/listener.hpp"

#include <meridian/aggregator.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

namespace meridian::daemon {

/// All parts of a running daemon.
///
/// Threads: `run` runs two execution contexts on the calling thread and threads of its own; every
/// part keeps to its strand. What must never wait behind a read, the aggregator and the control
/// socket, has a context and threads to itself.
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

  std::size_t threads_;
  // Destroyed last: the aggregator's channels wake those who ask there when they go.
  asio::io_context control_context_;
  asio::io_context uplink_context_;
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
