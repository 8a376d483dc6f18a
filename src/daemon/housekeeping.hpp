/// What the daemon does every now and then.
#pragma once

#include "status/silence.hpp"

#include <meridian/aggregator.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <utility>

namespace meridian::daemon {

/// Logs one line for each reason for which frames were dropped.
void log_drops(const DropReport& report);

/// Once a second: drops go into the log, without filling it, and satellites that have fallen silent
/// or are heard again. Every ten seconds: memory that was not needed goes back to the system.
///
/// Confined to one strand, on which `stop` must be called too.
class Housekeeping {
 public:
  /// `every_second` is called on the strand, too.
  Housekeeping(const asio::any_io_executor& strand, status::Silence& silence,
               std::function<void()> every_second)
      : tick_(strand), silence_(silence), every_second_(std::move(every_second)) {}

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
  std::function<void()> every_second_;
  bool stopped_ = false;  // a tick that is on its way already is not cancelled
};

}  // namespace meridian::daemon
