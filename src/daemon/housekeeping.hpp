/// What the daemon does from time to time.
#pragma once

#include "aggregator/reports.hpp"
#include "status/silence.hpp"

#include <meridian/aggregator.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>

namespace meridian::daemon {

/// Logs one line for each reason for which frames were dropped.
void log_drops(const aggregator::DropReport& report);

/// Once a second: logs drops, and satellites that have fallen silent, are heard again, or find no
/// room in the table. The log does not fill up with these. Every ten seconds: returns unused memory
/// to the system. As often as necessary: forgets satellites that have not been heard for long.
///
/// Confined to one strand, on which `stop` must be called too.
class Housekeeping {
 public:
  /// `every_second` is also called on the strand.
  Housekeeping(const asio::any_io_executor& strand, status::Silence& silence,
               std::function<void()> every_second)
      : tick_(strand), silence_(silence), every_second_(std::move(every_second)) {}

  /// Runs until `stop`, or until the aggregator has shut down.
  [[nodiscard]] asio::awaitable<void> run(AggregatorHandle aggregator);

  /// Satellites that have not been heard for this long are forgotten. 0: none are.
  void set_forget_after(std::chrono::seconds after) noexcept { forget_after_ = after; }

  void stop() {
    stopped_ = true;
    tick_.cancel();
  }

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] asio::awaitable<void> look_for_silence(const AggregatorHandle& aggregator,
                                                       status::Silence::Uplinks uplinks);

  /// Ages the table of origins, and forgets idle ones. Time in which backpressure held everything
  /// back does not count.
  [[nodiscard]] asio::awaitable<void> forget_idle(const AggregatorHandle& aggregator,
                                                  status::Silence::Uplinks uplinks);

  /// Logs that the table is full, once until there is room in it again.
  void look_at_table(const OriginTotals& totals);

  asio::steady_timer tick_;
  status::Silence& silence_;  // used on the same strand
  std::chrono::seconds forget_after_{0};
  Clock::time_point aged_until_{};
  Clock::duration elapsed_{};  // time of which the table has not been told
  std::uint64_t untracked_frames_ = 0;
  std::function<void()> every_second_;
  bool said_full_ = false;
  bool stopped_ = false;  // cancelling does not stop a tick that is already on its way
};

}  // namespace meridian::daemon
