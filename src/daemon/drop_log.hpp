/// Puts drops into the log, without filling it.
#pragma once

#include <meridian/aggregator.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>

namespace meridian::daemon {

/// Logs one line for each reason for which frames were dropped.
void log_drops(const DropReport& report);

/// Does so once a second, until `tick` is cancelled. `tick` must run on one strand with this.
[[nodiscard]] asio::awaitable<void> log_drops_each_second(AggregatorHandle aggregator,
                                                          std::shared_ptr<asio::steady_timer> tick);

}  // namespace meridian::daemon
