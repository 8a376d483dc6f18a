#include "http/snapshot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <numeric>
#include <tuple>
#include <utility>

namespace meridian::http {

namespace {

using status::Json;

/// The first rows in the order of `rank`.
template <typename Row, typename Rank>
std::vector<std::reference_wrapper<const Row>> pick(const std::vector<Row>& rows, Rank rank) {
  std::vector<std::reference_wrapper<const Row>> picked(rows.begin(), rows.end());
  const std::size_t count = std::min(picked.size(), most_rows);
  std::ranges::partial_sort(picked, picked.begin() + static_cast<std::ptrdiff_t>(count), {}, rank);
  picked.erase(picked.begin() + static_cast<std::ptrdiff_t>(count), picked.end());
  return picked;
}

Json encode_uplinks(const status::UplinkTable::Snapshot& uplinks) {
  const auto rank = [](const std::shared_ptr<const status::UplinkRecord>& uplink) {
    const ReceiveTime heard = uplink->last_frame_at().value_or(uplink->connected_at());
    return std::tuple(!uplink->held(), -heard.time_since_epoch().count());
  };
  Json rows = Json::array();
  for (const auto& uplink : pick(uplinks.open, rank)) {
    rows.push_back(to_json(*uplink.get()));
  }
  return {{"total", uplinks.open.size()}, {"rows", std::move(rows)}};
}

Json encode_satellites(const std::vector<OriginStats>& satellites,
                       const status::SilentSatellites& silent) {
  const auto rank = [&silent](const OriginStats& stats) {
    const bool is_silent = stats.origin && silent.contains(stats.origin->satellite_id);
    return std::tuple(!is_silent, -stats.last_seen_at.time_since_epoch().count());
  };
  Json rows = Json::array();
  for (const OriginStats& satellite : pick(satellites, rank)) {
    rows.push_back(to_json(satellite, silent));
  }
  return {{"total", satellites.size()}, {"rows", std::move(rows)}};
}

Json encode_silence(const status::SilentSatellites& silent) {
  constexpr std::size_t most_named = 100;
  const std::size_t named = std::min(silent.satellites.size(), most_named);
  Json json = {{"after_s", nullptr},
               {"count", silent.satellites.size()},
               {"satellite_ids",
                std::vector(silent.satellites.begin(),
                            silent.satellites.begin() + static_cast<std::ptrdiff_t>(named))}};
  if (silent.after.count() > 0) {
    json["after_s"] = silent.after.count();
  }
  return json;
}

}  // namespace

HistoryPoint history_point(const AggregatorStats& stats, ReceiveTime at) {
  const Ledger& ledger = stats.ledger;
  return {
      .at = at,
      .received = ledger.received,
      .received_bytes = stats.origins.bytes,
      .drained = ledger.drained,
      .flushed = ledger.flushed,
      .dropped = std::accumulate(ledger.dropped.begin(), ledger.dropped.end(), std::uint64_t{0}),
      .buffer = stats.buffer.now};
}

std::string encode(const HistoryPoint& point) {
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(point.at.time_since_epoch());
  return fmt::format("[{},{},{},{},{},{},{},{}]", ms.count(), point.received, point.received_bytes,
                     point.drained, point.flushed, point.dropped, point.buffer.frames,
                     point.buffer.bytes);
}

std::string encode_snapshot(const Snapshot& snapshot) {
  const Json json = {{"at", status::format_time(snapshot.at)},
                     {"stats", to_json(snapshot.stats)},
                     {"received_bytes", snapshot.stats.aggregator.origins.bytes},
                     {"uplinks", encode_uplinks(snapshot.uplinks)},
                     {"satellites", encode_satellites(snapshot.satellites, snapshot.silent)},
                     {"silence", encode_silence(snapshot.silent)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace meridian::http
