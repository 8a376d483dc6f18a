#include "status/sources.hpp"

#include "status/patience.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace meridian::status {

asio::awaitable<boost::system::result<Stats>> Sources::stats() const {
  const auto figures = co_await aggregator.stats();
  if (!figures) {
    co_return figures.error();
  }
  const auto uptime = std::chrono::steady_clock::now() - started_at;
  co_return Stats{.aggregator = *figures,
                  .sessions = uplinks.counts(),
                  .control = control_clients.counts(),
                  .state = state,
                  .faults = runtime::Faults::of_process().counts(),
                  .uptime = std::chrono::duration_cast<std::chrono::milliseconds>(uptime)};
}

Verdict Sources::health() const {
  return judge_health(pulse.beats(Pulse::Clock::now()));
}

asio::awaitable<Verdict> Sources::readiness() const {
  Verdict alive = health();
  if (!alive.good) {
    co_return alive;  // the aggregator would not answer this question, either
  }
  const auto figures = co_await within(Pulse::patience, aggregator.stats());
  if (!figures && figures.error() == asio::error::timed_out) {
    co_return judge_health(false);
  }
  const bool serves = figures.has_value() && pulse.serving();
  if (serves && !control_socket_is_there()) {
    co_return without_control_socket(control_socket_is_inherited());
  }
  co_return judge_readiness(serves, serves ? figures->buffer : BufferLevel{});
}

}  // namespace meridian::status
