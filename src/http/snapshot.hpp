/// What the page shows, as JSON.
#pragma once

#include "status/json.hpp"
#include "status/silence.hpp"
#include "status/uplink_table.hpp"

#include <meridian/aggregator.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace meridian::http {

/// Figures of one moment, for charts.
struct HistoryPoint {
  ReceiveTime at{};
  std::uint64_t received = 0;  ///< frames, as the following three
  std::uint64_t received_bytes = 0;
  std::uint64_t drained = 0;
  std::uint64_t flushed = 0;
  std::uint64_t dropped = 0;
  Depth buffer;
};
[[nodiscard]] HistoryPoint history_point(const AggregatorStats& stats, ReceiveTime at);

/// A list of lists, the oldest first: [milliseconds since 1970, received, received_bytes, drained,
/// flushed, dropped, frames in the buffer, octets in it].
template <typename Points>
[[nodiscard]] std::string encode_history(const Points& points);
[[nodiscard]] std::string encode(const HistoryPoint& point);

/// Everything of one moment.
struct Snapshot {
  ReceiveTime at{};
  status::Stats stats;
  status::UplinkTable::Snapshot uplinks;
  std::vector<OriginStats> satellites;
  status::SilentSatellites silent;
};

/// Rows of a list that a page shows: more is for programs.
inline constexpr std::size_t most_rows = 200;

/// Of longer lists those rows that call for attention, uplinks that are held and satellites that
/// are silent, and then those heard last.
[[nodiscard]] std::string encode_snapshot(const Snapshot& snapshot);

template <typename Points>
std::string encode_history(const Points& points) {
  std::string out = "[";
  for (const HistoryPoint& point : points) {
    out += (out.size() == 1 ? "" : ",") + encode(point);
  }
  return out + "]";
}

}  // namespace meridian::http
