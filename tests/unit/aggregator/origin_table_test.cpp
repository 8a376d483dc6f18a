#include "aggregator/origin_table.hpp"

#include "aggregator/accounts.hpp"
#include "integration/harness/deadlines.hpp"
#include "unit/frame/frame_samples.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace aggregator;
namespace {

using std::chrono::microseconds;

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
  return table.page(0, 1'000'000).rows;
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
  EXPECT_EQ(totals.late, 0U) << "it may be the first frame of a counter that begins anew";
  receive(table, run({2, 0}, 6, 1, 10), at(10));  // so it was late
  EXPECT_EQ(totals.late, 1U);
  EXPECT_EQ(totals.resets, 0U);

  OriginTable restored(2);
  restored.restore(table.all());
  EXPECT_EQ(restored.totals().bytes, 647U);
  EXPECT_EQ(restored.totals().missing, 3U);
  EXPECT_EQ(restored.totals().late, 1U);
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
  const auto origins = static_cast<SatelliteId>(test::scaled(1'000'000));
  Accounts accounts(max_tracked);
  for (SatelliteId satellite = 0; satellite < origins; ++satellite) {
    accounts.received(batch_of_run({satellite, 3}, satellite, 1));
  }
  const std::vector<OriginStats> stats = accounts.origins().page(0, 2 * origins).rows;
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

/// Reads the table page by page.
std::vector<OriginStats> read_in_pages(const OriginTable& table, std::size_t page_size) {
  std::vector<OriginStats> all;
  OriginPage page;
  while (!page.at_end) {
    page = table.page(page.next, page_size);
    EXPECT_LE(page.rows.size(), page_size);
    all.insert(all.end(), page.rows.begin(), page.rows.end());
  }
  return all;
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
  EXPECT_TRUE(OriginTable(10).page(0, 10).rows.empty());
  EXPECT_TRUE(OriginTable(10).page(5, 10).rows.empty());
  EXPECT_TRUE(OriginTable(10).page(5, 10).at_end);
}

/// Forgets in steps of three places, as a caller does.
std::uint64_t forget(OriginTable& table, SatelliteId satellite,
                     std::optional<ChannelId> channel = std::nullopt) {
  std::uint64_t forgotten = 0;
  for (std::size_t from = 0;; from += 3) {
    const OriginTable::Forgotten step = table.forget(satellite, channel, from, 3);
    forgotten += step.origins;
    if (step.reached_end) {
      return forgotten;
    }
  }
}

std::uint64_t age(OriginTable& table, std::chrono::seconds elapsed, std::chrono::seconds limit,
                  ReceiveTime now = {}) {
  return table.age({.elapsed = elapsed, .limit = limit, .now = now}, 0, 1'000'000).origins;
}

std::vector<Origin> origins_in(const OriginTable& table) {
  std::vector<Origin> origins;
  for (const OriginStats& stats : all_of(table)) {
    origins.push_back(stats.origin.value_or(Origin{}));
  }
  return origins;
}

TEST(ForgottenOrigins, HaveNoRowAndBeginAnew) {
  OriginTable table(100);
  receive(table, run({7, 1}, 100, 5, 500), {});
  receive(table, run({7, 2}, 100, 5, 500), {});
  receive(table, run({8, 1}, 100, 5, 500), {});
  EXPECT_EQ(forget(table, 7, ChannelId{2}), 1U);
  EXPECT_EQ(forget(table, 7, ChannelId{2}), 0U) << "it is not known any more";
  EXPECT_EQ(origins_in(table), (std::vector<Origin>{{7, 1}, {8, 1}}));
  EXPECT_EQ(forget(table, 7), 1U);
  EXPECT_EQ(origins_in(table), (std::vector<Origin>{{8, 1}}));
  EXPECT_EQ(table.totals().origins, 1U);
  receive(table, run({7, 1}, 3, 2, 200), {});
  const OriginStats again = all_of(table).at(0);
  EXPECT_EQ(again.origin, (Origin{7, 1})) << "at the lowest free place";
  EXPECT_EQ(again.frames, 2U);
  EXPECT_EQ(again.last_sequence, 4U);
  EXPECT_EQ(again.late, 0U);
}

TEST(ForgottenOrigins, IncludeAllChannelsOfASatellite) {
  OriginTable table(100);
  for (ChannelId channel = 0; channel < 20; ++channel) {
    receive(table, run({7, channel}, 0, 1), {});
    receive(table, run({8, channel}, 0, 1), {});
  }
  EXPECT_EQ(forget(table, 7), 20U);
  EXPECT_EQ(all_of(table).size(), 20U);
}

TEST(ForgottenOrigins, LeaveTheirRoomToOthers) {
  OriginTable table(2);
  for (SatelliteId satellite = 1; satellite <= 3; ++satellite) {
    receive(table, run({satellite, 0}, 0, 1, 20), {});
  }
  EXPECT_EQ(table.totals().untracked_frames, 1U);
  EXPECT_EQ(forget(table, 1), 1U);
  receive(table, run({3, 0}, 1, 1, 20), {});
  EXPECT_EQ(table.totals().untracked_frames, 1U) << "the third one is tracked now";
  EXPECT_EQ(table.totals().origins, 2U);
  EXPECT_EQ(origins_in(table), (std::vector<Origin>{{3, 0}, {2, 0}, {}}));
}

TEST(ForgottenOrigins, StayInAllSumsSoThatNoneFalls) {
  OriginTable table(4);
  const auto sums = [&] {
    std::vector<std::uint64_t> sums;
    for (std::size_t from = 0; from < 6; ++from) {
      const OriginStats sum = table.sum(from, 100).stats;
      sums.insert(sums.end(), {sum.frames, sum.bytes, sum.missing, sum.late, sum.dropped,
                               sum.stored.value_or(StoredStats{}).frames});
    }
    const OriginTotals& totals = table.totals();
    sums.insert(sums.end(), {totals.bytes, totals.gaps, totals.missing, totals.late});
    return sums;
  };
  std::vector<std::uint64_t> before = sums();
  for (std::uint32_t round = 1; round <= 30; ++round) {
    const Origin origin{round % 7, 0};
    meridian::Run frames = run(origin, 100 * round, 5, 100);
    frames.stored = round % 3 == 0;
    receive(table, frames, {});
    receive(table, run(origin, 100 * round + 10, 1, 100), {});
    receive(table, run(origin, 100 * round + 2, 1, 100), {});  // late, and not settled
    table.dropped(origin, 2);
    if (round % 2 == 0) {
      forget(table, (round * 5) % 7);
    }
    const std::vector<std::uint64_t> now = sums();
    for (std::size_t i = 0; i < now.size(); ++i) {
      EXPECT_GE(now[i], before[i]) << "round " << round << ", figure " << i;
    }
    before = now;
  }
  EXPECT_EQ(table.sum(0, 100).stats.frames, 30U * 7);
  EXPECT_EQ(table.sum(0, 100).stats.dropped, 30U * 2);
}

TEST(ForgottenOrigins, StayInTheTotalsOverARestart) {
  OriginTable table(4);
  receive(table, run({1, 0}, 0, 5, 100), {});
  receive(table, run({1, 0}, 10, 1, 20), {});
  receive(table, run({2, 0}, 0, 5, 100), {});
  EXPECT_FALSE(table.forgotten().has_value());
  forget(table, 1);
  OriginTable restored(4);
  restored.restore(table.all(), table.forgotten());
  EXPECT_EQ(restored.totals().bytes, table.totals().bytes);
  EXPECT_EQ(restored.totals().missing, 5U);
  EXPECT_EQ(restored.totals().origins, 1U);
  EXPECT_EQ(restored.sum(0, 100).stats.frames, 11U);
  EXPECT_EQ(origins_in(restored), (std::vector<Origin>{{2, 0}}));
  forget(restored, 2);
  OriginTable again(4);
  again.restore(restored.all(), restored.forgotten());
  EXPECT_EQ(again.totals().bytes, table.totals().bytes);
}

TEST(ForgottenOrigins, AreNotRevivedByDroppedFrames) {
  OriginTable table(4);
  receive(table, run({1, 0}, 0, 5, 100), {});
  forget(table, 1);
  table.dropped({1, 0}, 5);
  table.judge(run({1, 0}, 5, 1), SequenceWidth::bits64);
  EXPECT_TRUE(all_of(table).empty());
  EXPECT_EQ(table.sum(0, 100).stats.dropped, 5U) << "counted all the same";
}

TEST(ForgottenOrigins, ArePagedAtMostOnce) {
  OriginTable table(100);
  for (SatelliteId satellite = 0; satellite < 30; ++satellite) {
    receive(table, run({satellite, 0}, 0, 1), {});
  }
  std::vector<Origin> met;
  OriginPage page;
  for (SatelliteId round = 0; !page.at_end; ++round) {
    page = table.page(page.next, 4);
    for (const OriginStats& row : page.rows) {
      met.push_back(*row.origin);
    }
    forget(table, 2 * round);  // behind, and before what is read
    forget(table, 29 - round);
    receive(table, run({100 + round, 0}, 0, 1), {});
  }
  for (SatelliteId satellite = 15; satellite < 22; satellite += 2) {
    EXPECT_EQ(std::ranges::count(met, Origin{satellite, 0}), 1) << satellite;
  }
  std::ranges::sort(met);
  EXPECT_EQ(std::ranges::adjacent_find(met), met.end());
}

TEST(IdleOrigins, AreForgottenOnceSilentLongEnough) {
  OriginTable table(100);
  receive(table, run({1, 0}, 0, 1), {});
  receive(table, run({2, 0}, 0, 1), {});
  EXPECT_EQ(age(table, std::chrono::seconds(1000), std::chrono::seconds(60)), 0U)
      << "both were heard since";
  EXPECT_EQ(age(table, std::chrono::seconds(40), std::chrono::seconds(60)), 0U);
  receive(table, run({2, 0}, 1, 1), {});
  EXPECT_EQ(age(table, std::chrono::seconds(19), std::chrono::seconds(60)), 0U);
  EXPECT_EQ(age(table, std::chrono::seconds(1), std::chrono::seconds(60)), 1U);
  EXPECT_EQ(origins_in(table), (std::vector<Origin>{{2, 0}}));
  EXPECT_EQ(age(table, std::chrono::seconds(58), std::chrono::seconds(60)), 0U);
  EXPECT_EQ(age(table, std::chrono::seconds(1), std::chrono::seconds(60)), 1U);
}

TEST(IdleOrigins, AreNotForgottenForTimeBetweenDaemons) {
  using std::chrono::seconds;
  OriginTable table(100);
  table.restore({{.origin = Origin{1, 0},
                  .frames = 5,
                  .last_sequence = 4,
                  .last_seen_at = ReceiveTime(seconds(1000))},
                 {.origin = Origin{2, 0},
                  .frames = 5,
                  .last_sequence = 4,
                  .last_seen_at = ReceiveTime(seconds(1050))},
                 {.origin = Origin{3, 0},
                  .frames = 5,
                  .last_sequence = 4,
                  .last_seen_at = ReceiveTime(seconds(9999))}});
  EXPECT_EQ(age(table, seconds(1), seconds(60), ReceiveTime(seconds(1061))), 0U);
  EXPECT_EQ(age(table, seconds(29), seconds(60)), 0U);
  EXPECT_EQ(age(table, seconds(1), seconds(60)), 1U) << "half of the limit may have passed before";
  EXPECT_EQ(age(table, seconds(19), seconds(60)), 1U);
  EXPECT_EQ(origins_in(table), (std::vector<Origin>{{3, 0}})) << "a clock was set back";
}

}  // namespace
}  // namespace meridian::test
