#include "status/list_encoder.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace meridian::test {

using namespace status;

namespace {

ReceiveTime moment(std::int64_t us) {
  return ReceiveTime(std::chrono::microseconds(us));
}

std::string text_of(const UplinkTable::Snapshot& uplinks) {
  UplinksEncoder encoder(uplinks);
  std::string whole;
  for (std::string piece; encoder.next(piece);) {
    whole += piece;
  }
  return whole;
}

std::string text_of_pages(const std::vector<std::vector<OriginStats>>& pages) {
  SatellitesEncoder encoder(std::make_shared<const SilentSatellites>(
      SilentSatellites{.after = std::chrono::seconds(1), .satellites = {4'294'967'295}}));
  std::string whole = SatellitesEncoder::begin();
  for (const std::vector<OriginStats>& page : pages) {
    whole += encoder.page(page);
  }
  return whole + SatellitesEncoder::end();
}

StoredStats stored_sample() {
  StoredStats stored{.frames = 12, .last_seen_at = moment(2'000'000)};
  stored.sequences.last_sequence = 13;
  stored.sequences.gaps = 14;
  stored.sequences.missing = 15;
  stored.sequences.duplicates = 16;
  stored.sequences.late = 17;
  stored.sequences.jumps = 18;
  stored.sequences.resets = 19;
  return stored;
}

TEST(UplinksEncoder, ListsOpenUplinksAndFormerOnes) {
  const auto receiving = std::make_shared<UplinkRecord>(1, "native", "[::1]:40000", moment(0));
  receiving->add_bytes(100);
  receiving->add_frames(3, moment(1'000'000));
  receiving->add_frames(2, moment(2'000'000));
  const auto held = std::make_shared<UplinkRecord>(2, "native", "127.0.0.1:5", moment(3'000'000));
  held->set_held(true);
  const auto ended = std::make_shared<UplinkRecord>(3, "packets", "127.0.0.1:6", moment(4'000'000));
  const UplinkTable::Snapshot snapshot{
      .listeners = {{.name = "native", .framing = "length_prefixed", .address = "[::1]:7400"}},
      .open = {receiving, held},
      .closed = {
          {.record = ended, .closed_at = moment(5'000'000), .reason = CloseReason::truncated}}};

  EXPECT_EQ(
      text_of(snapshot),
      R"({"uplinks":[{"id":1,"listener":"native","peer":"[::1]:40000","state":"receiving",)"
      R"("connected_at":"1970-01-01T00:00:00.000000Z",)"
      R"("last_frame_at":"1970-01-01T00:00:02.000000Z","frames":5,"bytes":100},)"
      R"({"id":2,"listener":"native","peer":"127.0.0.1:5","state":"held",)"
      R"("connected_at":"1970-01-01T00:00:03.000000Z","last_frame_at":null,)"
      R"("frames":0,"bytes":0}],)"
      R"("closed":[{"id":3,"listener":"packets","peer":"127.0.0.1:6","state":"closed",)"
      R"("connected_at":"1970-01-01T00:00:04.000000Z","last_frame_at":null,"frames":0,"bytes":0,)"
      R"("closed_at":"1970-01-01T00:00:05.000000Z","reason":"truncated"}],)"
      R"("listeners":[{"name":"native","framing":"length_prefixed","address":"[::1]:7400"}]})");
}

TEST(UplinksEncoder, HasEmptyListsWhereNobodyConnected) {
  EXPECT_EQ(text_of(UplinkTable::Snapshot{}), R"({"uplinks":[],"closed":[],"listeners":[]})");
}

TEST(UplinksEncoder, MakesPiecesOfABoundedNumberOfRows) {
  UplinkTable::Snapshot snapshot;
  constexpr std::size_t rows = 2 * rows_per_piece + 1;
  for (SessionId id = 1; id <= rows; ++id) {
    snapshot.open.push_back(std::make_shared<UplinkRecord>(id, "native", "127.0.0.1:5", moment(0)));
  }
  UplinksEncoder encoder(snapshot);
  std::vector<std::string> pieces;
  for (std::string piece; encoder.next(piece);) {
    pieces.push_back(piece);
  }
  ASSERT_EQ(pieces.size(), 3U);
  const Json whole = Json::parse(pieces[0] + pieces[1] + pieces[2]);
  ASSERT_EQ(whole.at("uplinks").size(), rows);
  EXPECT_EQ(whole.at("uplinks").at(rows - 1).at("id"), rows);
}

TEST(SatellitesEncoder, TellsSatellitesAndTheSumOfTheOthers) {
  const std::vector<OriginStats> origins{
      {.origin = Origin{.satellite_id = 4'294'967'295, .channel_id = 65'535},
       .frames = 1,
       .bytes = 2,
       .last_sequence = 18'446'744'073'709'551'615U,
       .gaps = 3,
       .missing = 4,
       .duplicates = 5,
       .late = 6,
       .dropped = 7,
       .last_seen_at = moment(1'000'000),
       .jumps = 10,
       .resets = 11,
       .stored = stored_sample()},
      {.origin = std::nullopt, .frames = 8, .bytes = 9, .last_sequence = std::nullopt}};

  EXPECT_EQ(text_of_pages({origins}),
            R"({"satellites":[{"satellite_id":4294967295,"channel_id":65535,"frames":1,"bytes":2,)"
            R"("last_sequence":18446744073709551615,"gaps":3,"missing":4,"duplicates":5,)"
            R"("late":6,"dropped":7,"last_seen_at":"1970-01-01T00:00:01.000000Z","silent":true,)"
            R"("jumps":10,"resets":11,"stored":{"frames":12,"last_sequence":13,"gaps":14,)"
            R"("missing":15,"duplicates":16,"late":17,"jumps":18,"resets":19,)"
            R"("last_seen_at":"1970-01-01T00:00:02.000000Z"}},)"
            R"({"satellite_id":null,"channel_id":null,"frames":8,"bytes":9,)"
            R"("last_sequence":null,"gaps":0,"missing":0,"duplicates":0,"late":0,"dropped":0,)"
            R"("last_seen_at":"1970-01-01T00:00:00.000000Z","silent":null,)"
            R"("jumps":0,"resets":0,"stored":null}]})");
}

TEST(SatellitesEncoder, MakesOneListOfAllPages) {
  EXPECT_EQ(text_of_pages({}), R"({"satellites":[]})");
  OriginStats origin;
  origin.origin = Origin{1, 2};
  const Json whole = Json::parse(text_of_pages({{origin, origin}, {origin}, {}}));
  EXPECT_EQ(whole.at("satellites").size(), 3U);
}

}  // namespace
}  // namespace meridian::test
