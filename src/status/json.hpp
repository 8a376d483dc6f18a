/// The daemon's state as JSON: see docs/reference/control-methods.md.
#pragma once

#include "runtime/faults.hpp"
#include "runtime/time_text.hpp"
#include "status/control_counts.hpp"
#include "status/silence.hpp"
#include "status/sink_table.hpp"
#include "status/state_report.hpp"
#include "status/uplink_table.hpp"

#include <meridian/aggregator.hpp>

#include <nlohmann/json.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::status {

/// A JSON value that keeps the order of its fields.
using Json = nlohmann::ordered_json;

using runtime::format_time;

/// The JSON as text. Octets that are not UTF-8, which a path from the environment may have, become
/// replacement characters, so that there is always an answer.
template <typename AnyJson>
[[nodiscard]] std::string dump(const AnyJson& json) {
  return json.dump(-1, ' ', false, AnyJson::error_handler_t::replace);
}

[[nodiscard]] Json to_json(const Amount& depth);
[[nodiscard]] Json to_json(const StateReport& state);

/// The answer to `stats`.
struct Stats {
  AggregatorStats aggregator;
  SessionCounts sessions;
  ControlCounts control;
  StateReport state;
  runtime::Faults::Counts faults{};
  std::chrono::milliseconds uptime{};
};
[[nodiscard]] Json to_json(const Stats& stats);

// Each of these makes one row of a list, or a part of a row. Lists are long, so a reply writes them
// in pieces.
[[nodiscard]] Json to_json(const UplinkRecord& open);
[[nodiscard]] Json to_json(const ClosedUplink& closed);
[[nodiscard]] Json to_json(const ListenerInfo& listener);
[[nodiscard]] Json to_json(const StoredStats& stored);
[[nodiscard]] Json to_json(const OriginStats& origin, const SilentSatellites& silent);

/// A row of the answer to `sinks`. `consumer` is the sink's consumer. The age of its oldest frame
/// is counted up to `now`.
[[nodiscard]] Json to_json(const SinkRecord& sink, const ConsumerStats& consumer, ReceiveTime now);

/// The answer to `sinks`. Each sink has the consumer of the same name.
[[nodiscard]] Json sinks_json(const SinkTable& sinks, const std::vector<ConsumerStats>& consumers,
                              ReceiveTime now);

}  // namespace meridian::status
