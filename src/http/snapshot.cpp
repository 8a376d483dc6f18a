#include "http/snapshot.hpp"

#include "status/version.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>
#include <tuple>
#include <utility>

namespace meridian::http {

namespace {

using status::Json;

/// Keeps only the first `most_rows` rows in the order of `rank`.
template <typename Row, typename Rank>
void keep_first(std::vector<Row>& rows, Rank rank) {
  const auto end = rows.begin() + static_cast<std::ptrdiff_t>(std::min(rows.size(), most_rows));
  std::ranges::partial_sort(rows, end, {}, rank);
  rows.erase(end, rows.end());
}

Json encode_uplinks(const status::UplinkTable::Snapshot& uplinks) {
  // Each rank is read only once, because sessions keep changing it during the sort.
  struct Ranked {
    std::tuple<bool, ReceiveTime::rep> rank;
    const status::UplinkRecord* uplink;
  };
  std::vector<Ranked> ranked;
  ranked.reserve(uplinks.open.size());
  for (const auto& uplink : uplinks.open) {
    const ReceiveTime heard = uplink->last_frame_at().value_or(uplink->connected_at());
    ranked.push_back({{!uplink->held(), -heard.time_since_epoch().count()}, uplink.get()});
  }
  keep_first(ranked, &Ranked::rank);
  Json rows = Json::array();
  for (const Ranked& row : ranked) {
    rows.push_back(to_json(*row.uplink));
  }
  return {{"total", uplinks.open.size()}, {"rows", std::move(rows)}};
}

Json encode_satellites(const SatelliteRows& satellites) {
  Json rows = Json::array();
  for (const OriginStats& satellite : satellites.shown()) {
    rows.push_back(to_json(satellite, satellites.silent()));
  }
  return {{"total", satellites.total()}, {"rows", std::move(rows)}};
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

SatelliteRows::SatelliteRows(std::shared_ptr<const status::SilentSatellites> silent)
    : silent_(std::move(silent)) {}

void SatelliteRows::add(std::span<const OriginStats> some) {
  shown_.insert(shown_.end(), some.begin(), some.end());
  total_ += some.size();
  keep_first(shown_, [this](const OriginStats& stats) {
    const bool is_silent = stats.origin && silent_->contains(stats.origin->satellite_id);
    return std::tuple(!is_silent, -stats.last_seen_at.time_since_epoch().count());
  });
}

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
                     {"version", status::version},
                     {"stats", to_json(snapshot.stats)},
                     {"received_bytes", snapshot.stats.aggregator.origins.bytes},
                     {"uplinks", encode_uplinks(snapshot.uplinks)},
                     {"satellites", encode_satellites(snapshot.satellites)},
                     {"silence", encode_silence(snapshot.satellites.silent())}};
  return status::dump(json);
}

}  // namespace meridian::http
