#include "http/snapshot.hpp"

#include "status/version.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace http;

namespace {

using nlohmann::json;

ReceiveTime at(std::int64_t seconds) {
  return ReceiveTime(std::chrono::seconds(seconds));
}

OriginStats satellite(SatelliteId id, std::int64_t last_seen) {
  OriginStats stats;
  stats.origin = Origin{id, 1};
  stats.last_seen_at = at(last_seen);
  return stats;
}

/// Those who are silent, of whom nobody is.
std::shared_ptr<const status::SilentSatellites> silent(status::SilentSatellites satellites = {}) {
  return std::make_shared<const status::SilentSatellites>(std::move(satellites));
}

TEST(History, IsAListOfPointsTheOldestFirst) {
  AggregatorStats stats;
  stats.ledger = {
      .received = 10, .buffered = 1, .drained = 2, .flushed = 3, .dropped = {1, 1, 1, 1}};
  stats.origins.bytes = 800;
  stats.buffer.now = {.frames = 1, .bytes = 80};
  const std::vector<HistoryPoint> points{history_point({}, at(1)), history_point(stats, at(2))};
  EXPECT_EQ(encode_history(points), "[[1000,0,0,0,0,0,0,0],[2000,10,800,2,3,4,1,80]]");
  EXPECT_EQ(encode_history(std::vector<HistoryPoint>{}), "[]");
}

TEST(SnapshotText, HasTheFiguresOfStats) {
  Snapshot snapshot{.at = at(3), .stats = {}, .uplinks = {}, .satellites = SatelliteRows(silent())};
  snapshot.stats.aggregator.ledger.received = 12;
  snapshot.stats.aggregator.origins.bytes = 99;
  const json text = json::parse(encode_snapshot(snapshot));
  EXPECT_EQ(text.at("at"), "1970-01-01T00:00:03.000000Z");
  EXPECT_EQ(text.at("version"), status::version);
  EXPECT_EQ(text.at("stats").at("ledger").at("received"), 12);
  EXPECT_EQ(text.at("received_bytes"), 99);
  EXPECT_EQ(text.at("uplinks").at("total"), 0);
  EXPECT_EQ(text.at("satellites").at("rows"), json::array());
  EXPECT_EQ(text.at("silence"), json::parse(R"({"after_s":null,"count":0,"satellite_ids":[]})"));
}

TEST(SnapshotText, NamesSilentSatellites) {
  Snapshot snapshot{
      .at = at(0),
      .stats = {},
      .uplinks = {},
      .satellites = SatelliteRows(silent({.after = std::chrono::seconds(30), .satellites = {5}}))};
  snapshot.satellites.add(std::vector{satellite(4, 1), satellite(5, 1)});
  const json text = json::parse(encode_snapshot(snapshot));
  EXPECT_EQ(text.at("silence"), json::parse(R"({"after_s":30,"count":1,"satellite_ids":[5]})"));
  EXPECT_EQ(text.at("satellites").at("rows").at(0).at("satellite_id"), 5);
  EXPECT_EQ(text.at("satellites").at("rows").at(0).at("silent"), true);
  EXPECT_EQ(text.at("satellites").at("rows").at(1).at("silent"), false);
}

TEST(SnapshotText, OfLongListsHasTroubledAndLatestRows) {
  Snapshot snapshot{
      .at = at(0),
      .stats = {},
      .uplinks = {},
      .satellites = SatelliteRows(silent({.after = std::chrono::seconds(1), .satellites = {3}}))};
  for (SatelliteId id = 0; id < 1000; ++id) {
    snapshot.satellites.add(std::vector{satellite(id, id)});
  }
  for (SessionId id = 1; id <= 1000; ++id) {
    auto uplink = std::make_shared<status::UplinkRecord>(id, "native", "peer",
                                                         at(static_cast<std::int64_t>(id)));
    uplink->set_held(id == 2);
    snapshot.uplinks.open.push_back(std::move(uplink));
  }
  const json text = json::parse(encode_snapshot(snapshot));
  const json& satellites = text.at("satellites");
  EXPECT_EQ(satellites.at("total"), 1000);
  ASSERT_EQ(satellites.at("rows").size(), most_rows);
  EXPECT_EQ(satellites.at("rows").at(0).at("satellite_id"), 3);
  EXPECT_EQ(satellites.at("rows").at(1).at("satellite_id"), 999);
  EXPECT_EQ(satellites.at("rows").at(2).at("satellite_id"), 998);
  const json& uplinks = text.at("uplinks");
  EXPECT_EQ(uplinks.at("total"), 1000);
  ASSERT_EQ(uplinks.at("rows").size(), most_rows);
  EXPECT_EQ(uplinks.at("rows").at(0).at("id"), 2);
  EXPECT_EQ(uplinks.at("rows").at(1).at("id"), 1000);
}

}  // namespace
}  // namespace meridian::test
