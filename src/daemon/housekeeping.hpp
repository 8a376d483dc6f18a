/// What the daemon does every now and then.
#pragma once

#include "status/silence.hpp"

#include <meridian/aggregator.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace meridian::daemon {

/// Logs one line for each reason for which frames were dropped.
void log_drops(const DropReport& report);

/// Once a second: drops go into the log, without filling it, and satellites that have fallen silent
/// or are heard again. Every ten seconds: memory that was not needed goes back to the system.
///
/// Confined to one strand, on which `stop` must be called too.
class Housekeeping {
 public:
  Housekeeping(const asio::any_io_executor& strand, status::Silence& silence)
      : tick_(strand), silence_(silence) {}

  /// Runs until `stop`, or until the aggregator has shut down.
  [[nodiscard]] asio::awaitable<void> run(AggregatorHandle aggregator);

  void stop() {
    stopped_ = true;
    tick_.cancel();
  }

 private:
  [[nodiscard]] asio::awaitable<void> look_for_silence(const AggregatorHandle& aggregator);

  asio::steady_timer tick_;
  status::Silence& silence_;  // used on the same strand
  bool stopped_ = false;      // a tick that is on its way already is not cancelled
};

}  // namespace meridian::daemon
