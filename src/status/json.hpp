/// The daemon's state as JSON, in the shape that the contract defines.
#pragma once

#include "runtime/faults.hpp"
#include "runtime/time_text.hpp"
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

/// Keeps fields in the order of the contract.
using Json = nlohmann::ordered_json;

/// Why a control client was cut off. Counted per reason.
enum class CutOff : std::uint8_t {
  request_too_long,  ///< a line of more than max_request_bytes
  client_limit,      ///< there were max_clients already
  not_reading,       ///< did not read its answer in time
  idle,              ///< asked for nothing for idle_timeout_s
  not_allowed,       ///< in none of the groups that may connect
};
inline constexpr std::array all_cut_offs{CutOff::request_too_long, CutOff::client_limit,
                                         CutOff::not_reading, CutOff::idle, CutOff::not_allowed};
[[nodiscard]] std::string_view name_of(CutOff reason) noexcept;

struct ControlCounts {
  std::uint64_t clients = 0;
  std::uint64_t accepted = 0;
  std::array<std::uint64_t, all_cut_offs.size()> cut_off{};
};

using runtime::format_time;

/// The JSON as text. What is not UTF-8, such as in a path from the environment, becomes a
/// replacement character: it is no reason not to answer.
template <typename AnyJson>
[[nodiscard]] std::string dump(const AnyJson& json) {
  return json.dump(-1, ' ', false, AnyJson::error_handler_t::replace);
}

[[nodiscard]] Json to_json(const Depth& depth);
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

// Each makes one row of a list. Lists are long, so a reply writes them in pieces.
[[nodiscard]] Json to_json(const UplinkRecord& open);
[[nodiscard]] Json to_json(const ClosedUplink& closed);
[[nodiscard]] Json to_json(const ListenerInfo& listener);
[[nodiscard]] Json to_json(const StoredStats& stored);
[[nodiscard]] Json to_json(const OriginStats& origin, const SilentSatellites& silent);

/// A row of the answer to `sinks`. `consumer` is the sink's own; `now` serves to work out how old
/// its oldest frame is.
[[nodiscard]] Json to_json(const SinkRecord& sink, const ConsumerStats& consumer, ReceiveTime now);

/// The answer to `sinks`. Each sink has a consumer of its name.
[[nodiscard]] Json sinks_json(const SinkTable& sinks, const std::vector<ConsumerStats>& consumers,
                              ReceiveTime now);

}  // namespace meridian::status
