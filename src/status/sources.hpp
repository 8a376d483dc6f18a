/// The sources of everything that can be reported about the daemon.
#pragma once

#include "status/client_counters.hpp"
#include "status/json.hpp"
#include "status/probes.hpp"
#include "status/pulse.hpp"
#include "status/silence.hpp"
#include "status/sink_table.hpp"
#include "status/state_report.hpp"
#include "status/uplink_table.hpp"

#include <meridian/aggregator.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <functional>

namespace meridian::status {

namespace asio = boost::asio;

/// The parts that answer questions share this. Everything that it refers to outlives those parts.
/// Thread-safe.
struct Sources {
  AggregatorHandle aggregator;
  UplinkTable& uplinks;
  ClientCounters& control_clients;
  const Pulse& pulse;
  const Silence& silence;
  const StateReport& state;  ///< constant once anything is answered
  const SinkTable& sinks;
  /// Whether the control socket has its file, without which no client can connect.
  std::function<bool()> control_socket_is_there;
  /// Whether that file belongs to another program. Then only that program can make it again.
  std::function<bool()> control_socket_is_inherited;
  std::chrono::steady_clock::time_point started_at = std::chrono::steady_clock::now();

  /// All figures at one moment. Fails as `AggregatorHandle::stats` does.
  [[nodiscard]] asio::awaitable<boost::system::result<Stats>> stats() const;

  /// Whether the daemon is alive, and whether it is ready. If the aggregator does not answer,
  /// `readiness` says so within `Pulse::patience`.
  [[nodiscard]] Verdict health() const;
  [[nodiscard]] asio::awaitable<Verdict> readiness() const;
};

}  // namespace meridian::status
