#include "sim/consume_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace meridian::test {

using namespace sim;

namespace {

using testing::AllOf;
using testing::HasSubstr;
using Json = nlohmann::json;
using testing::Not;

OriginReport good_origin(SatelliteId satellite_id) {
  return {.origin = {.satellite_id = satellite_id, .channel_id = 0},
          .frames = 1'000,
          .lowest = 0,
          .highest = 999};
}

ConsumeReport good_report() {
  ConsumeReport report{.frames = 2'000,
                       .distinct = 2'000,
                       .octets = 160'000,
                       .messages = 4,
                       .expected = 2'000,
                       .seconds = 0.5};
  report.origins = {good_origin(1), good_origin(2)};
  return report;
}

/// Satellite 2 has one frame twice and lacks four.
ConsumeReport troubled_report() {
  ConsumeReport report = good_report();
  OriginReport& origin = report.origins.back();
  origin.missing = 4;
  origin.repeated = 1;
  origin.out_of_order = 2;
  origin.highest = 1'002;
  origin.holes = {{.first = 7, .last = 7}, {.first = 100, .last = 102}};
  report.distinct -= 1;
  return report;
}

TEST(ConsumeReport, IsWellWhereNothingIsWrong) {
  EXPECT_TRUE(all_well(good_report()));
  EXPECT_TRUE(all_well(ConsumeReport{})) << "nothing was expected";
}

TEST(ConsumeReport, IsWellWithoutExpectation) {
  ConsumeReport report = good_report();
  report.expected.reset();
  EXPECT_TRUE(all_well(report));
}

TEST(ConsumeReport, IsWellWithExtraFramesAndRedelivery) {
  ConsumeReport report = good_report();
  report.expected = 10;
  report.redelivered = 3;
  EXPECT_TRUE(all_well(report));
}

TEST(ConsumeReport, IsNotWellWhereAnythingIsWrong) {
  std::vector<ConsumeReport> bad(6, good_report());
  bad[0].origins[1].missing = 1;
  bad[1].origins[1].repeated = 1;
  bad[2].origins[1].out_of_order = 1;
  bad[3].malformed = 1;
  bad[4].expected = 2'001;
  bad[5].failure = "no connection";
  for (const ConsumeReport& report : bad) {
    EXPECT_FALSE(all_well(report)) << to_text(report);
  }
}

TEST(ConsumeReport, TellsTotals) {
  EXPECT_EQ(to_text(good_report()),
            "read 2,000 frames, 160.0 kB, in 4 messages of 2 origins in 0.50 s\n"
            "rate: 0.00 M frames/s, 320.0 kB/s\n"
            "frames:   0 missing, 0 repeated, 0 out of order\n"
            "messages: 0 malformed, 0 redelivered\n"
            "expected: 2,000 frames, 2,000 of them came\n");
}

TEST(ConsumeReport, TellsOfOriginsInTroubleOnly) {
  const std::string text = to_text(troubled_report());
  EXPECT_THAT(text, AllOf(HasSubstr("frames:   4 missing, 1 repeated, 2 out of order\n"),
                          HasSubstr("expected: 2,000 frames, 1,999 of them came\n"),
                          HasSubstr("satellite 2, channel 0: 1,000 frames from 0 to 1,002; "
                                    "4 missing, 1 repeated, 2 out of order; "
                                    "missing: 7, 100 to 102\n"),
                          Not(HasSubstr("satellite 1,"))));
}

TEST(ConsumeReport, ListsBadMessagesButNotTheFailure) {
  ConsumeReport report = good_report();
  report.malformed = 30;
  report.bad_messages = {{.place = 12'345, .fault = "no frames"}};
  report.failure = "no connection to a server";
  EXPECT_THAT(
      to_text(report),
      AllOf(HasSubstr("messages: 30 malformed"), HasSubstr("message 12,345: no frames\n"),
            HasSubstr("and 29 more messages\n"), Not(HasSubstr("no connection to a server"))));
}

TEST(ConsumeReport, TellsOfSoManyOriginsAndNoMore) {
  ConsumeReport report;
  for (SatelliteId id = 1; id <= 100; ++id) {
    report.origins.push_back(good_origin(id));
    report.origins.back().missing = 1;
  }
  EXPECT_THAT(to_text(report), AllOf(HasSubstr("satellite 20,"), Not(HasSubstr("satellite 21,")),
                                     HasSubstr("and 80 more origins\n")));
  EXPECT_EQ(Json::parse(to_json(report)).at("trouble").size(), most_told);
  EXPECT_EQ(Json::parse(to_json(report)).at("missing"), 100);
}

TEST(ConsumeReport, IsThereForPrograms) {
  ConsumeReport report = troubled_report();
  report.malformed = 1;
  report.redelivered = 5;
  report.bad_messages = {{.place = 3, .fault = "no frames"}};
  EXPECT_EQ(Json::parse(to_json(report)), Json::parse(R"({
    "frames": 2000, "distinct": 1999, "expected": 2000, "bytes": 160000, "messages": 4,
    "missing": 4, "repeated": 1, "out_of_order": 2, "malformed": 1, "redelivered": 5,
    "origins": 2, "seconds": 0.5, "frames_per_s": 4000.0,
    "trouble": [{"satellite_id": 2, "channel_id": 0, "frames": 1000, "missing": 4, "repeated": 1,
                 "out_of_order": 2, "lowest_sequence": 0, "highest_sequence": 1002,
                 "holes": [[7, 7], [100, 102]]}],
    "bad_messages": [{"stream_sequence": 3, "fault": "no frames"}],
    "failure": null})"));
}

TEST(ConsumeReport, HasNoRateOfNothing) {
  const Json json = Json::parse(to_json(ConsumeReport{}));
  EXPECT_EQ(json.at("frames_per_s"), 0.0);
  EXPECT_EQ(json.at("expected"), nullptr);
}

}  // namespace
}  // namespace meridian::test
