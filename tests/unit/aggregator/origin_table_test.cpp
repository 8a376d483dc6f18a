#include "aggregator/origin_table.hpp"

#include "aggregator/accounts.hpp"
#include "integration/harness/deadlines.hpp"
#include "unit/frame/frame_samples.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace meridian {
namespace {

using std::chrono::microseconds;
using testing::batch_of_run;

meridian::Run run(Origin origin, std::uint64_t first, std::uint32_t frames,
                  std::uint64_t bytes = 0) {
  return {.origin = origin, .frames = frames, .first = first, .bytes = bytes};
}

ReadStamp at(int time_us) {
  return {.received_at = ReceiveTime(microseconds(time_us))};
}

void receive(OriginTable& table, const meridian::Run& run, const ReadStamp& stamp) {
  table.count(run, stamp.received_at);
  table.judge(run, stamp.width);
}

std::vector<OriginStats> all_of(const OriginTable& table) {
  return table.page(0, 1'000'000);
}

TEST(OriginTable, CountsPerOrigin) {
  OriginTable table(10);
  receive(table, run({1, 1}, 0, 5, 500), at(10));
  receive(table, run({1, 2}, 7, 1, 20), at(20));
  receive(table, run({1, 1}, 8, 2, 40), at(30));
  table.dropped({1, 1}, 4);

  const std::vector<OriginStats> stats = all_of(table);

  ASSERT_EQ(stats.size(), 2U);
  EXPECT_EQ(stats[0].origin, (Origin{1, 1}));
  EXPECT_EQ(stats[0].frames, 7U);
  EXPECT_EQ(stats[0].bytes, 540U);
  EXPECT_EQ(stats[0].last_sequence, 9U);
  EXPECT_EQ(stats[0].gaps, 1U);
  EXPECT_EQ(stats[0].missing, 3U);
  EXPECT_EQ(stats[0].duplicates, 0U);
  EXPECT_EQ(stats[0].late, 0U);
  EXPECT_EQ(stats[0].dropped, 4U);
  EXPECT_EQ(stats[0].last_seen_at, ReceiveTime(microseconds(30)));
  EXPECT_EQ(stats[1].origin, (Origin{1, 2}));
  EXPECT_EQ(stats[1].frames, 1U);
  EXPECT_EQ(stats[1].last_seen_at, ReceiveTime(microseconds(20)));
}

TEST(OriginTable, TracksSequencesOverSessions) {
  OriginTable table(10);
  receive(table, run({1, 1}, 0, 5), {.session = 1});
  receive(table, run({1, 1}, 5, 5), {.session = 2});  // a reconnect is not a gap
  receive(table, run({1, 1}, 11, 1), {.session = 3});
  EXPECT_EQ(all_of(table).at(0).gaps, 1U);
  EXPECT_EQ(all_of(table).at(0).missing, 1U);
}

TEST(OriginTable, TracksInTheWidthOfTheCounter) {
  OriginTable table(10);
  receive(table, run({1, 1}, 16383, 1), {.width = SequenceWidth::bits14});
  receive(table, run({1, 1}, 0, 1), {.width = SequenceWidth::bits14});
  EXPECT_EQ(all_of(table).at(0).gaps, 0U);
  EXPECT_EQ(all_of(table).at(0).late, 0U);
}

TEST(OriginTable, SumsUpTheOriginsBeyondItsBound) {
  OriginTable table(2);
  for (SatelliteId satellite = 1; satellite <= 5; ++satellite) {
    receive(table, run({satellite, 0}, 100 * satellite, 3, 60), at(static_cast<int>(satellite)));
  }
  receive(table, run({5, 0}, 9000, 1, 20), at(9));
  table.dropped({4, 0}, 2);
  receive(table, run({3, 0}, 0, 1, 20), at(1));
  table.dropped({3, 0}, 1);

  const std::vector<OriginStats> stats = all_of(table);

  ASSERT_EQ(stats.size(), 3U);
  EXPECT_EQ(stats[0].origin, (Origin{1, 0}));
  EXPECT_EQ(stats[1].origin, (Origin{2, 0}));
  EXPECT_FALSE(stats[2].origin.has_value());
  EXPECT_EQ(stats[2].frames, 11U);
  EXPECT_EQ(stats[2].bytes, 220U);
  EXPECT_EQ(stats[2].dropped, 3U);
  EXPECT_FALSE(stats[2].last_sequence.has_value());
  EXPECT_EQ(stats[2].gaps + stats[2].missing + stats[2].late + stats[2].duplicates, 0U);
  EXPECT_EQ(stats[2].last_seen_at, ReceiveTime(microseconds(9)));
}

TEST(OriginTable, KeepsTotalsOfAllThatIsTracked) {
  OriginTable table(2);
  receive(table, run({1, 1}, 0, 5, 500), at(10));
  receive(table, run({1, 1}, 8, 1, 100), at(10));  // 3 missing
  receive(table, run({2, 0}, 5, 1, 10), at(10));
  receive(table, run({2, 0}, 5, 1, 10), at(10));  // a duplicate
  receive(table, run({2, 0}, 2, 1, 10), at(10));  // late
  receive(table, run({3, 0}, 0, 1, 7), at(10));   // beyond the bound
  const OriginTotals& totals = table.totals();
  EXPECT_EQ(totals.origins, 2U);
  EXPECT_EQ(totals.bytes, 637U);
  EXPECT_EQ(totals.gaps, 1U);
  EXPECT_EQ(totals.missing, 3U);
  EXPECT_EQ(totals.duplicates, 1U);
  EXPECT_EQ(totals.late, 1U);

  OriginTable restored(2);
  restored.restore(table.all());
  EXPECT_EQ(restored.totals().bytes, 637U);
  EXPECT_EQ(restored.totals().missing, 3U);
  EXPECT_EQ(restored.totals().origins, 2U);
}

TEST(OriginTable, SumsUpWhatFollowsAnIndex) {
  OriginTable table(3);
  for (std::uint32_t id = 1; id <= 5; ++id) {
    receive(table, run({id, 0}, 0, id, 10), at(static_cast<int>(id)));
    table.dropped({id, 0}, 1);
  }
  const auto frames_from = [&](std::size_t from, std::size_t count) {
    const OriginTable::Sum sum = table.sum(from, count);
    return std::pair(sum.stats.frames, sum.reached_end);
  };
  EXPECT_EQ(frames_from(0, 100), std::pair(15UL, true));
  EXPECT_EQ(frames_from(0, 3), std::pair(6UL, false));
  EXPECT_EQ(frames_from(1, 1), std::pair(2UL, false));
  EXPECT_EQ(frames_from(2, 2), std::pair(12UL, true)) << "with those beyond the bound";
  EXPECT_EQ(frames_from(3, 1), std::pair(9UL, true)) << "those alone";
  EXPECT_EQ(frames_from(7, 1), std::pair(9UL, true));
  const OriginStats all = table.sum(0, 100).stats;
  EXPECT_EQ(all.origin, std::nullopt);
  EXPECT_EQ(all.bytes, 50U);
  EXPECT_EQ(all.dropped, 5U);
  EXPECT_EQ(all.last_seen_at, ReceiveTime(microseconds(5)));
}

TEST(OriginTable, StaysWithinItsBoundHoweverManyOriginsCome) {
  constexpr std::size_t max_tracked = 65'536;
  const auto origins = static_cast<SatelliteId>(testing::scaled(1'000'000));
  Accounts accounts(max_tracked);
  for (SatelliteId satellite = 0; satellite < origins; ++satellite) {
    accounts.received(batch_of_run({satellite, 3}, satellite, 1));
  }
  const std::vector<OriginStats> stats = accounts.origins().page(0, 2 * origins);
  ASSERT_EQ(stats.size(), max_tracked + 1);
  std::uint64_t frames = 0;
  for (std::size_t i = 0; i < max_tracked; ++i) {
    ASSERT_EQ(stats[i].origin, (Origin{static_cast<SatelliteId>(i), 3})) << "order of arrival";
    ASSERT_EQ(stats[i].last_sequence, i);
    frames += stats[i].frames;
  }
  EXPECT_FALSE(stats.back().origin.has_value());
  EXPECT_EQ(stats.back().frames, origins - max_tracked);
  EXPECT_EQ(stats.back().bytes, std::uint64_t{20} * (origins - max_tracked));
  EXPECT_EQ(frames + stats.back().frames, origins);
  EXPECT_EQ(accounts.ledger(origins, 0).received, origins);
}

/// Reads the table page by page, until a page is not full.
std::vector<OriginStats> read_in_pages(const OriginTable& table, std::size_t page_size) {
  std::vector<OriginStats> all;
  for (;;) {
    const std::vector<OriginStats> page = table.page(all.size(), page_size);
    EXPECT_LE(page.size(), page_size);
    all.insert(all.end(), page.begin(), page.end());
    if (page.size() < page_size) {
      return all;
    }
  }
}

TEST(OriginTablePages, NameEachEntryOnceForAnyPageSize) {
  for (const bool with_others : {false, true}) {
    OriginTable table(12);
    const SatelliteId origins = with_others ? 20 : 12;
    for (SatelliteId satellite = 0; satellite < origins; ++satellite) {
      receive(table, run({satellite, 0}, 0, 1), {});
    }
    for (std::size_t page_size = 1; page_size <= 15; ++page_size) {
      const std::vector<OriginStats> stats = read_in_pages(table, page_size);
      ASSERT_EQ(stats.size(), with_others ? 13U : 12U) << "pages of " << page_size;
      for (std::size_t i = 0; i < 12; ++i) {
        EXPECT_EQ(stats[i].origin, (Origin{static_cast<SatelliteId>(i), 0}));
      }
      EXPECT_EQ(stats.size() == 13 && !stats.back().origin, with_others);
    }
  }
}

TEST(OriginTablePages, AreEmptyForAnEmptyTable) {
  EXPECT_TRUE(OriginTable(10).page(0, 10).empty());
  EXPECT_TRUE(OriginTable(10).page(5, 10).empty());
}

}  // namespace
}  // namespace meridian
