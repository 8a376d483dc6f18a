#include "top/lines.hpp"

#include "unit/top/samples.hpp"

#include <gtest/gtest.h>

namespace meridian::test {

using namespace top;

namespace {

Figures figures_after_a_second() {
  const Figures before = sample_figures();
  Poll poll = sample_poll(std::chrono::seconds(1));
  poll.stats["ledger"]["received"] = 1'234'567 + 1234;
  poll.stats["ledger"]["buffered"] = 1000 + 1234;
  poll.satellites["satellites"][0]["bytes"] = 1000 * 84 + 1000;
  return figures_of(poll, &before);
}

TEST(TopLines, TellPeopleTheFiguresOfAnInterval) {
  EXPECT_EQ(text_line_of(figures_after_a_second()),
            "2026-11-25T10:03:13Z  received 1,235,801 (1.23k/s, 1.00 kB/s)  drained 0/s  "
            "dropped 0/s  buffered 2,234 (84.0 kB)  uplinks 2, 1 held  satellites 2, 0 silent\n");
}

TEST(TopLines, ShowUnknownValuesAndProblems) {
  Poll poll = sample_poll();
  poll.stats["ledger"]["flushed"] = 0;
  EXPECT_EQ(text_line_of(figures_of(poll, nullptr)),
            "2026-11-25T10:03:12Z  received 1,234,567 (-/s, - B/s)  drained -/s  dropped -/s  "
            "buffered 1,000 (84.0 kB)  uplinks 2, 1 held  satellites 2, 0 silent  "
            "LEDGER DOES NOT BALANCE\n");
}

TEST(TopLines, AreObjectsForPrograms) {
  const std::string line = json_line_of(figures_after_a_second());
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(Json::parse(line), Json::parse(R"({
    "at": "2026-11-25T10:03:13.000000Z", "uptime_s": 3726.5,
    "received": 1235801, "received_per_s": 1234.0, "bytes_per_s": 1000.0,
    "drained": 1200000, "drained_per_s": 0.0, "flushed": 33000,
    "dropped": 567, "dropped_per_s": 0.0, "buffered": 2234, "leased": 0, "delivered": 0, "buffer_bytes": 84000,
    "balanced": true, "uplinks": 2, "held": 1, "satellites": 2, "silent": 0})"));
}

TEST(TopLines, RatesThatAreNotKnownAreNull) {
  const Json line = Json::parse(json_line_of(sample_figures()));
  for (const char* key : {"received_per_s", "bytes_per_s", "drained_per_s", "dropped_per_s"}) {
    EXPECT_TRUE(line.at(key).is_null()) << key;
  }
}

TEST(TopLines, HugeCountersAreExact) {
  EXPECT_EQ(Json::parse(json_line_of(figures_of(huge_poll(), nullptr))).at("received"), huge);
}

}  // namespace
}  // namespace meridian::test
