/// What the page shows, as JSON.
#pragma once

#include "status/json.hpp"
#include "status/silence.hpp"
#include "status/uplink_table.hpp"

#include <meridian/aggregator.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace meridian::http {

/// Figures of one moment, for charts.
struct HistoryPoint {
  ReceiveTime at{};
  std::uint64_t received = 0;  ///< frames, like drained, flushed and dropped
  std::uint64_t received_bytes = 0;
  std::uint64_t drained = 0;
  std::uint64_t flushed = 0;
  std::uint64_t dropped = 0;
  Amount buffer;
};
[[nodiscard]] HistoryPoint history_point(const AggregatorStats& stats, ReceiveTime at);

/// A list of lists, the oldest first: [milliseconds since 1970, received, received_bytes, drained,
/// flushed, dropped, frames in the buffer, octets in it].
template <typename Points>
[[nodiscard]] std::string encode_history(const Points& points);
[[nodiscard]] std::string encode(const HistoryPoint& point);

/// The most rows that the page shows of a list; programs can get whole lists. Of a longer list, the
/// rows that need attention come first: held uplinks and silent satellites. Then come those heard
/// most recently.
inline constexpr std::size_t most_rows = 200;

/// Chooses the rows to show, while all satellites are added in parts. Holds at most the chosen rows
/// and one part.
class SatelliteRows {
 public:
  explicit SatelliteRows(std::shared_ptr<const status::SilentSatellites> silent);

  void add(std::span<const OriginStats> some);

  /// How many rows were added.
  [[nodiscard]] std::size_t total() const noexcept { return total_; }
  /// At most `most_rows`, those that need attention first.
  [[nodiscard]] const std::vector<OriginStats>& shown() const noexcept { return shown_; }
  [[nodiscard]] const status::SilentSatellites& silent() const noexcept { return *silent_; }

 private:
  std::shared_ptr<const status::SilentSatellites> silent_;
  std::vector<OriginStats> shown_;
  std::size_t total_ = 0;
};

/// All figures of one moment.
struct Snapshot {
  ReceiveTime at{};
  status::Stats stats;
  status::UplinkTable::Snapshot uplinks;
  SatelliteRows satellites;
};
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
