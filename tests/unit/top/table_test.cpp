#include "top/table.hpp"

#include "top/order.hpp"
#include "unit/top/samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <tuple>
#include <vector>

namespace meridian::test {

using namespace top;

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// The satellites 1, 2 and 3, which differ in everything, and the sum of the others.
Figures four_rows() {
  Poll poll = sample_poll();
  Json& rows = poll.satellites["satellites"];
  rows = Json::array({satellite_json(3, 20), satellite_json(1, 30), satellite_json(2, 10),
                      satellite_json(std::nullopt, 40)});
  rows[0]["gaps"] = 1;
  rows[1]["gaps"] = 1;
  rows[2]["gaps"] = 7;
  rows[1]["silent"] = true;
  rows[2]["last_seen_at"] = "2026-11-25T10:00:00.000000Z";
  return figures_of(poll, nullptr);
}

/// The ids of the satellites in this order, 0 for the others.
std::vector<SatelliteId> order(const Figures& figures, ColumnKey key, bool descending) {
  std::vector<SatelliteId> ids;
  for (const std::size_t i : sorted_rows(figures, TableKind::satellites, {key, descending})) {
    ids.push_back(figures.satellites[i].satellite_id.value_or(0));
  }
  return ids;
}

TEST(TopOrder, SortsByAColumnEitherWay) {
  const Figures figures = four_rows();
  EXPECT_THAT(order(figures, ColumnKey::frames, true), ElementsAre(0, 1, 3, 2));
  EXPECT_THAT(order(figures, ColumnKey::frames, false), ElementsAre(2, 3, 1, 0));
  EXPECT_THAT(order(figures, ColumnKey::age, true), ElementsAre(2, 1, 3, 0));
  EXPECT_THAT(order(figures, ColumnKey::state, true), ElementsAre(1, 2, 3, 0));
}

TEST(TopOrder, EqualRowsAreOrderedByTheirIds) {
  const Figures figures = four_rows();
  EXPECT_THAT(order(figures, ColumnKey::gaps, true), ElementsAre(2, 1, 3, 0));
  EXPECT_THAT(order(figures, ColumnKey::gaps, false), ElementsAre(0, 1, 3, 2));
}

TEST(TopOrder, WhatIsNotKnownIsLastEitherWay) {
  const Figures figures = four_rows();
  EXPECT_THAT(order(figures, ColumnKey::satellite, false), ElementsAre(1, 2, 3, 0));
  EXPECT_THAT(order(figures, ColumnKey::satellite, true), ElementsAre(3, 2, 1, 0));
  EXPECT_THAT(order(figures, ColumnKey::rate, true), ElementsAre(1, 2, 3, 0));
}

TEST(TopOrder, SortsByRatesOnceTheyAreKnown) {
  const Poll poll = sample_poll();
  const Figures before = figures_of(poll, nullptr);
  Poll next = sample_poll(std::chrono::seconds(1));
  next.satellites["satellites"][1]["frames"] = 2005;
  next.satellites["satellites"].push_back(satellite_json(99));
  EXPECT_THAT(order(figures_of(next, &before), ColumnKey::rate, true), ElementsAre(42, 17, 99));
  EXPECT_THAT(order(figures_of(next, &before), ColumnKey::rate, false), ElementsAre(17, 42, 99));
}

TEST(TopOrder, SortsPeersByTheirNumbers) {
  const Figures figures = sample_figures();
  EXPECT_THAT(sorted_rows(figures, TableKind::uplinks, {ColumnKey::peer, false}),
              ElementsAre(1, 0));
  EXPECT_THAT(sorted_rows(figures, TableKind::uplinks, {ColumnKey::state, true}),
              ElementsAre(1, 0));
}

TEST(TopOrder, ComparesNumbersInTextsAsNumbers) {
  const std::tuple<const char*, const char*, std::strong_ordering> cases[] = {
      {"node-9", "node-10", std::strong_ordering::less},
      {"10.0.4.2:1000", "10.0.10.1:9", std::strong_ordering::less},
      {"a007", "a7", std::strong_ordering::equal},
      {"a", "a1", std::strong_ordering::less},
      {"b", "a10", std::strong_ordering::greater},
      {"0", "", std::strong_ordering::greater},
      {"99999999999999999999998", "99999999999999999999999", std::strong_ordering::less},
      {"same", "same", std::strong_ordering::equal}};
  for (const auto& [a, b, expected] : cases) {
    EXPECT_EQ(compare_naturally(a, b), expected) << a << " " << b;
    EXPECT_EQ(compare_naturally(b, a), 0 <=> expected) << b << " " << a;
  }
}

std::vector<std::string> satellites_in(const Figures& figures, std::size_t cells,
                                       Sort sort = {ColumnKey::satellite, false}) {
  return texts(table_lines(figures, TableKind::satellites, sort, 0, 100, cells));
}

TEST(TopTable, HasAllColumnsWhereThereIsRoom) {
  EXPECT_THAT(satellites_in(four_rows(), 200),
              ElementsAre("SATELLITE^  CHANNEL  STATE       AGE  FRAMES/S  FRAMES  OCTETS  GAPS  "
                          "MISSING  DUPLICATES  LATE  RESETS  DROPPED",
                          "         1        0  !silent      2s         -      30   2,520     1  "
                          "      0           0     0       0        0",
                          "         2        0  heard    3m 12s         -      10     840     7  "
                          "      0           0     0       0        0",
                          "         3        0  heard        2s         -      20   1,680     1  "
                          "      0           0     0       0        0",
                          "    others        -  -            2s         -      40   3,360     0  "
                          "      0           0     0       0        0"));
}

TEST(TopTable, LeavesOutTheLeastImportantColumnsIfNarrow) {
  const Figures figures = four_rows();
  const std::pair<std::size_t, const char*> cases[] = {
      {99,
       "SATELLITE^ CHANNEL STATE      AGE FRAMES/S FRAMES OCTETS GAPS MISSING DUPLICATES LATE "
       "DROPPED"},
      {80, "SATELLITE^ CHANNEL STATE      AGE FRAMES/S FRAMES GAPS MISSING LATE DROPPED"},
      {60, "SATELLITE^ CHANNEL STATE   FRAMES/S GAPS MISSING DROPPED"},
      {40, "SATELLITE^ CHANNEL STATE   FRAMES/S GAPS"}};
  for (const auto& [cells, heading] : cases) {
    EXPECT_EQ(satellites_in(figures, cells)[0], heading) << cells;
  }
}

TEST(TopTable, KeepsTheColumnThatItIsSortedBy) {
  const auto lines = satellites_in(four_rows(), 40, {ColumnKey::octets, true});
  EXPECT_EQ(lines[0], "SATELLITE CHANNEL STATE   OCTETSv");
  EXPECT_EQ(lines[1], "   others       - -         3,360");
}

TEST(TopTable, ShortensNumbersRatherThanCutThem) {
  const Figures figures = figures_of(huge_poll(), nullptr);
  const auto narrow = satellites_in(figures, 60);
  EXPECT_THAT(narrow[1], HasSubstr(" 18.4E"));
  EXPECT_THAT(narrow[1], Not(HasSubstr("18,4")));
  EXPECT_THAT(satellites_in(figures, 300)[1], HasSubstr(" 18,446,744,073,709,551,615"));
}

TEST(TopTable, CutsTextsWhereItMust) {
  const Poll poll = huge_poll();
  const Figures figures = figures_of(poll, nullptr);
  const Sort by_id{ColumnKey::id, false};
  const auto narrow = texts(table_lines(figures, TableKind::uplinks, by_id, 0, 10, 60));
  EXPECT_THAT(narrow[1], HasSubstr(" [2001:0db8:0000"));
  EXPECT_THAT(narrow[1], HasSubstr(" !held "));
  const auto wide = texts(table_lines(figures, TableKind::uplinks, by_id, 0, 10, 300));
  EXPECT_THAT(wide[1], HasSubstr(" [2001:0db8:0000:0000:0000:ff00:0042:8329]:65535 "));
}

TEST(TopTable, NoLineIsTooLong) {
  for (const Poll& poll : {sample_poll(), huge_poll(), long_poll(30)}) {
    const Figures figures = figures_of(poll, nullptr);
    for (const TableKind kind : {TableKind::satellites, TableKind::uplinks}) {
      for (const Column& column : columns_of(kind)) {
        for (std::size_t cells = 40; cells < 200; cells += cells < 50 ? 1 : 13) {
          for (const Line& line : table_lines(figures, kind, {column.key, true}, 0, 50, cells)) {
            EXPECT_LE(line.cells(), cells) << line.text();
          }
        }
      }
    }
  }
}

TEST(TopTable, ShowsTheRowsThatAreAskedFor) {
  const Figures figures = figures_of(long_poll(30), nullptr);
  const auto lines =
      texts(table_lines(figures, TableKind::satellites, {ColumnKey::satellite, false}, 28, 10, 40));
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_THAT(lines[1], HasSubstr("        29 "));
  EXPECT_THAT(lines[2], HasSubstr("        30 "));
}

/// The style of the first span with this text.
Style style_of(const std::vector<Line>& lines, const std::string& text) {
  for (const Line& line : lines) {
    for (const Span& span : line.spans()) {
      if (span.text == text) {
        return span.style;
      }
    }
  }
  ADD_FAILURE() << "nowhere: " << text;
  return {};
}

TEST(TopTable, ProblemsStandOutInTheTextToo) {
  Poll poll = sample_poll();
  poll.satellites["satellites"][0]["silent"] = true;
  poll.satellites["satellites"][0]["gaps"] = 5;
  poll.satellites["satellites"][1]["gaps"] = 8;
  const Figures before = figures_of(poll, nullptr);
  poll.taken += std::chrono::seconds(1);
  poll.stats["uptime_s"] = 3726.5;
  poll.satellites["satellites"][0]["gaps"] = 6;
  const Figures figures = figures_of(poll, &before);
  const auto lines =
      table_lines(figures, TableKind::satellites, {ColumnKey::satellite, false}, 0, 10, 120);
  EXPECT_EQ(style_of(lines, "!silent"), alarm_style);
  EXPECT_EQ(style_of(lines, "!6"), alarm_style);
  EXPECT_EQ(style_of(lines, "8"), Style{.tone = Tone::warning}) << "not recent";
  const auto uplinks = table_lines(figures, TableKind::uplinks, {ColumnKey::id, false}, 0, 10, 120);
  EXPECT_EQ(style_of(uplinks, "!held"), alarm_style);
  EXPECT_TRUE(alarm_style.reverse && alarm_style.bold) << "without colours it stands out too";
}

}  // namespace
}  // namespace meridian::test
