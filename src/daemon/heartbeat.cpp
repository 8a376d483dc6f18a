#include "daemon/heartbeat.hpp"

#include "runtime/use_tuple.hpp"
#include "service/watchdog.hpp"
#include "status/figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <tuple>

namespace meridian::daemon {

namespace {

using namespace std::chrono_literals;

/// Sends three signs of life for each one that the watchdog expects, so that one may be late.
std::chrono::microseconds interval() {
  const auto expected = service::watchdog_interval();
  constexpr std::chrono::microseconds longest = status::Pulse::patience;
  return expected ? std::min(longest, *expected / 3) : longest;
}

std::string describe(const Amount& depth, std::uint64_t uplinks) {
  return fmt::format("{} uplinks, {} frames ({}) in the buffer", status::with_separators(uplinks),
                     status::with_separators(depth.frames), status::octets_for_people(depth.bytes));
}

}  // namespace

Heartbeat::Heartbeat(const asio::any_io_executor& strand, service::Notifier& notifier)
    : tick_(strand), notifier_(notifier), interval_(interval()) {}

asio::awaitable<void> Heartbeat::run(AggregatorHandle aggregator,
                                     const status::UplinkTable& uplinks, status::Pulse& pulse) {
  while (!stopped_) {
    const auto depth = co_await aggregator.depth();
    if (!depth || stopped_) {
      co_return;
    }
    pulse.beat(status::Pulse::Clock::now());
    notifier_.alive(describe(*depth, uplinks.counts().open));
    tick_.expires_after(interval_);
    std::ignore = co_await tick_.async_wait(runtime::use_tuple);
  }
}

}  // namespace meridian::daemon
