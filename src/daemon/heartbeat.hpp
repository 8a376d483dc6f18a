/// Tells the service manager that the daemon is alive.
#pragma once

#include "service/notifier.hpp"
#include "status/pulse.hpp"
#include "status/uplink_table.hpp"

#include <meridian/aggregator.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>

namespace meridian::daemon {

/// Asks the aggregator for its depth, once a second or as often as the watchdog requires, and
/// passes the answer on as a sign of life. If the aggregator's strand hangs, there is no answer and
/// no sign.
///
/// Confined to one strand, on which `stop` must be called too.
class Heartbeat {
 public:
  Heartbeat(const asio::any_io_executor& strand, service::Notifier& notifier);

  /// Runs until `stop`, or until the aggregator has shut down.
  [[nodiscard]] asio::awaitable<void> run(AggregatorHandle aggregator,
                                          const status::UplinkTable& uplinks, status::Pulse& pulse);

  void stop() {
    stopped_ = true;
    tick_.cancel();
  }

 private:
  asio::steady_timer tick_;
  service::Notifier& notifier_;  // on the same strand
  std::chrono::microseconds interval_;
  bool stopped_ = false;  // cancelling does not stop a tick that is already on its way
};

}  // namespace meridian::daemon
