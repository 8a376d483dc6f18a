#include "ctl/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <tuple>

namespace meridian::test {

using namespace ctl;

namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

Json sample_stats() {
  return Json::parse(R"({
    "ledger": {"received": 1234567, "buffered": 500, "leased": 200, "delivered": 300, "drained": 1200000, "flushed": 33000,
               "dropped": {"buffer_full_oldest": 500, "buffer_full_newest": 0, "channel_full": 67}},
    "buffer": {"frames": 1000, "bytes": 84000, "max_frames": 1000000, "max_bytes": 268435456,
               "frames_high_water": 2000, "bytes_high_water": 168000},
    "channel": {"length": 1, "capacity": 128, "high_water": 77},
    "sessions": {"open": 3, "accepted": 10, "closed": {"end_of_stream": 6, "malformed": 1}},
    "malformed": {"length_too_small": 0, "length_too_large": 1},
    "truncated": 4, "idle_packets": 5,
    "control": {"clients": 1, "accepted": 8, "cut_off": {"not_reading": 2}},
    "state": {"directory": "/var/lib/meridian", "restored": 4321, "not_restored": 9,
              "damaged_bytes": 800, "set_aside": "/var/lib/meridian/buffer.damaged-1"},
    "uptime_s": 12.5})");
}

TEST(Report, TellsTheDepthInFramesAndOctets) {
  EXPECT_EQ(report_depth({{"frames", 1234567}, {"bytes", 98765432}}),
            "1,234,567 frames, 98.8 MB (98,765,432 bytes)\n");
  EXPECT_EQ(report_depth({{"frames", 0}, {"bytes", 0}}), "0 frames, 0 bytes (0 bytes)\n");
}

TEST(Report, TellsWhatAFlushDiscarded) {
  EXPECT_EQ(report_flush({{"discarded", 12345}}), "discarded 12,345 frames\n");
}

TEST(Report, ShowsChangesThatAReloadMadeOrDeferred) {
  EXPECT_EQ(report_reload({{"changed", {"log.level"}}, {"needs_restart", {"threads"}}}),
            "changed: log.level\nneeds a restart: threads\n");
  EXPECT_EQ(report_reload({{"changed", Json::array()}, {"needs_restart", Json::array()}}),
            "nothing has changed\n");
}

TEST(Report, TellsTheVersion) {
  EXPECT_EQ(report_version({{"name", "meridiand"}, {"version", "1.2.3"}, {"build", "GNU"}}),
            "meridiand 1.2.3 (GNU)\n");
}

TEST(StatsReport, TellsEveryFigureWithItsUnitAndLimit) {
  const std::string text = report_stats(sample_stats());
  for (const char* line :
       {"received          1,234,567\n", "  buffered        500\n", "  leased          200\n",
        "  delivered       300\n", "  drained         1,200,000\n", "  flushed         33,000\n",
        "  dropped         567 (buffer_full_oldest 500, channel_full 67)\n",
        "ledger            balanced", "buffer frames     1,000 of 1,000,000 (high water 2,000)\n",
        "buffer bytes      84,000 of 268,435,456 (high water 168,000)\n",
        "channel batches   1 of 128 (high water 77)\n", "sessions          3 open, 10 accepted\n",
        "  closed          end_of_stream 6, malformed 1\n",
        "malformed         length_too_large 1\n", "truncated         4\n", "idle packets      5\n",
        "state             /var/lib/meridian: 4,321 frames restored, 9 not\n",
        "  damaged         800 bytes, set aside as /var/lib/meridian/buffer.damaged-1\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, HasSubstr("not_reading 2"));
}

TEST(StatsReport, SaysSoWhereTheLedgerDoesNotBalance) {
  for (const char* column : {"received", "buffered", "leased", "delivered", "drained", "flushed"}) {
    Json stats = sample_stats();
    stats["ledger"][column] = 1;
    EXPECT_THAT(report_stats(stats), HasSubstr("DOES NOT BALANCE")) << column;
  }
  Json stats = sample_stats();
  stats["ledger"]["dropped"]["channel_full"] = 68;
  EXPECT_THAT(report_stats(stats), HasSubstr("DOES NOT BALANCE"));
  EXPECT_THAT(report_stats(sample_stats()), Not(HasSubstr("DOES NOT BALANCE")));
}

TEST(StatsReport, SaysNoneWhereNothingIsCounted) {
  Json stats = sample_stats();
  stats["malformed"]["length_too_large"] = 0;
  EXPECT_THAT(report_stats(stats), ContainsRegex("malformed +none\n"));
}

TEST(StatsReport, ThrowsIfAPromisedFieldIsMissing) {
  for (const char* key : {"ledger", "buffer", "channel", "sessions", "malformed", "truncated"}) {
    Json stats = sample_stats();
    stats.erase(key);
    EXPECT_THROW(std::ignore = report_stats(stats), Json::exception) << key;
  }
}

TEST(UplinksReport, ListsListenersThenSessionsWithTheirState) {
  const Json open = {{"id", 2},         {"listener", "native"}, {"peer", "[::1]:5"},
                     {"state", "held"}, {"connected_at", "T1"}, {"last_frame_at", nullptr},
                     {"frames", 1234},  {"bytes", 56789}};
  Json closed = open;
  closed["id"] = 1;
  closed["state"] = "closed";
  closed["last_frame_at"] = "T2";
  closed["reason"] = "truncated";
  const Json listener = {
      {"name", "native"}, {"framing", "length_prefixed"}, {"address", "127.0.0.1:7400"}};
  const std::string text =
      report_uplinks({{"uplinks", {open}}, {"closed", {closed}}, {"listeners", {listener}}});

  EXPECT_THAT(text, ContainsRegex("native +length_prefixed +127\\.0\\.0\\.1:7400\n"));
  EXPECT_THAT(text, ContainsRegex("2 +native +\\[::1\\]:5 +held +T1 +- +1,234 +56,789\n"));
  EXPECT_THAT(text, ContainsRegex("1 +native +\\[::1\\]:5 +closed: truncated +T1 +T2 +1,234"));
}

TEST(UplinksReport, SaysSoWhereNobodyConnectedYet) {
  EXPECT_THAT(
      report_uplinks(
          {{"uplinks", Json::array()}, {"closed", Json::array()}, {"listeners", Json::array()}}),
      HasSubstr("no uplinks so far\n"));
}

TEST(SatellitesReport, ListsEachOriginAndCallsTheSumOthers) {
  Json row = {{"satellite_id", 42}, {"channel_id", 7},       {"frames", 1111},
              {"bytes", 2222},      {"last_sequence", 3333}, {"gaps", 4444},
              {"missing", 5555},    {"duplicates", 6666},    {"late", 7777},
              {"dropped", 8888},    {"last_seen_at", "T"},   {"silent", false},
              {"jumps", 91},        {"resets", 92},          {"stored", nullptr}};
  Json others = row;
  others["satellite_id"] = nullptr;
  others["channel_id"] = nullptr;
  others["last_sequence"] = nullptr;
  others["silent"] = nullptr;
  const std::string text = report_satellites({{"satellites", {row, others}}});
  EXPECT_THAT(text,
              ContainsRegex("42 +7 +1,111 +2,222 +3333 +4,444 +5,555 +6,666 +7,777 +91 +92 +8,888 "
                            "+T +heard"));
  EXPECT_THAT(text, ContainsRegex("others +- +1,111 +2,222 +- +4,444.* T +-\n"));
  row["silent"] = true;
  EXPECT_THAT(report_satellites({{"satellites", {row}}}), ContainsRegex("42 +7.* T +silent\n"));
}

TEST(SatellitesReport, ShowsStoredFramesBelowTheirChannel) {
  const Json row = Json::parse(R"({
    "satellite_id": 42, "channel_id": 7, "frames": 10, "bytes": 200, "last_sequence": 9, "gaps": 0,
    "missing": 0, "duplicates": 0, "late": 0, "dropped": 0, "last_seen_at": "T", "silent": false,
    "jumps": 0, "resets": 0,
    "stored": {"frames": 1001, "last_sequence": 1002, "gaps": 1003, "missing": 1004,
               "duplicates": 1005, "late": 1006, "jumps": 1007, "resets": 1008,
               "last_seen_at": "U"}})");
  EXPECT_THAT(report_satellites({{"satellites", {row}}}),
              ContainsRegex("42 +7 +10 .*heard\n +stored +1,001 +- +1002 +1,003 +1,004 +1,005 "
                            "+1,006 +1,007 +1,008 +- +U +-"));
}

TEST(SatellitesReport, TakesTheAnswerOfAnOlderDaemon) {
  const Json row = Json::parse(R"({
    "satellite_id": 42, "channel_id": 7, "frames": 10, "bytes": 200, "last_sequence": 9, "gaps": 0,
    "missing": 0, "duplicates": 0, "late": 5, "dropped": 0, "last_seen_at": "T", "silent": false})");
  EXPECT_THAT(report_satellites({{"satellites", {row}}}),
              ContainsRegex("42 +7 +10 +200 +9 +0 +0 +0 +5 +- +- +0 +T +heard"));
}

Json sample_sink() {
  return Json::parse(R"({
    "name": "archive", "type": "nats_jetstream", "stream": "TELEMETRY",
    "subject": "meridian.{satellite_id}.{channel_id}", "when_behind": "hold",
    "server": "nats://127.0.0.1:4222", "problem": null, "unsafe": [],
    "lag": {"frames": 1111, "bytes": 22222, "seconds": 3.25},
    "in_flight": {"messages": 4, "bytes": 5555},
    "acknowledged": {"frames": 66666, "bytes": 777777, "messages": 888, "duplicates": 9},
    "retried": 10, "refused": {"unreachable": 1100, "tls": 0, "stream_full": 12},
    "skipped": {"buffer_full": 1300, "drained": 0, "flushed": 0}})");
}

TEST(SinksReport, ShowsProgressAndCountsOfEach) {
  Json other = sample_sink();
  other["name"] = "other";
  other["server"] = nullptr;
  other["refused"] = {{"unreachable", 0}};
  other["skipped"] = {{"buffer_full", 0}};
  const std::string text = report_sinks({{"sinks", {sample_sink(), other}}});
  EXPECT_THAT(text, ContainsRegex(
                        "archive +TELEMETRY +nats://127\\.0\\.0\\.1:4222 +1,111 +22,222 +3\\.[23] "
                        "+4 +66,666 +888 +9 +10 +unreachable 1,100, stream_full 12 "
                        "+buffer_full 1,300\n"));
  EXPECT_THAT(text, ContainsRegex("other +TELEMETRY +- +1,111.* none +none\n$"));
}

TEST(SinksReport, ListsProblemsAndDangersBelow) {
  Json sink = sample_sink();
  sink["problem"] = {{"reason", "stream_full"}, {"message", "the stream has no room"}};
  sink["unsafe"] = {"It is stored in memory.", "It is sealed."};
  EXPECT_THAT(report_sinks({{"sinks", {sink}}}),
              HasSubstr("\n\narchive: stream_full: the stream has no room\n"
                        "archive: unsafe: It is stored in memory.\n"
                        "archive: unsafe: It is sealed.\n"));
}

TEST(SinksReport, ShowsServerTextInOneHarmlessLine) {
  Json sink = sample_sink();
  sink["problem"] = {{"reason", "other"}, {"message", "gone\n\x1b[2Jall is well\u202e"}};
  sink["server"] = "nats://h\x1b[31m";
  const std::string text = report_sinks({{"sinks", {sink}}});
  EXPECT_THAT(text, HasSubstr(R"(archive: other: gone\n\x1b[2Jall is well\u{202e})"));
  EXPECT_THAT(text, HasSubstr(R"(nats://h\x1b[31m)"));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(JsonLine, IsAscii) {
  EXPECT_EQ(json_line({{"a", "\u009b2J\x1b"}}), "{\"a\":\"\\u009b2J\\u001b\"}\n");
}

TEST(SinksReport, SaysSoWhereThereAreNone) {
  EXPECT_EQ(report_sinks({{"sinks", Json::array()}}), "no sinks are configured\n");
}

TEST(SatellitesReport, SaysSoWhereThereAreNone) {
  EXPECT_EQ(report_satellites({{"satellites", Json::array()}}), "no satellites so far\n");
}

}  // namespace
}  // namespace meridian::test
