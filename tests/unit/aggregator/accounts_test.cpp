#include "aggregator/accounts.hpp"

#include "aggregator/reports.hpp"
#include "unit/frame/frame_samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <stdexcept>

namespace meridian::test {

using namespace aggregator;
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST(Accounts, BalanceOverEveryMovement) {
  Accounts accounts(100);
  EXPECT_TRUE(accounts.ledger(0, 0).balanced());

  accounts.received(batch_of_run({1, 1}, 0, 10));
  EXPECT_EQ(accounts.ledger(10, 0).received, 10U);

  accounts.dropped(DropReason::buffer_full_oldest, batch_of_run({1, 1}, 0, 2));
  accounts.dropped(DropReason::buffer_full_newest, batch_of_run({1, 1}, 8, 1));
  accounts.given_up(batch_of_run({1, 1}, 10, 4), Accounts::Judge::now);
  accounts.drained(3);
  accounts.flushed(2);
  const Ledger ledger = accounts.ledger(2, 0);
  EXPECT_EQ(ledger.received, 14U);
  EXPECT_EQ(ledger.buffered, 2U);
  EXPECT_EQ(ledger.drained, 3U);
  EXPECT_EQ(ledger.flushed, 2U);
  EXPECT_EQ(ledger.dropped_for(DropReason::buffer_full_oldest), 2U);
  EXPECT_EQ(ledger.dropped_for(DropReason::buffer_full_newest), 1U);
  EXPECT_EQ(ledger.dropped_for(DropReason::channel_full), 4U);

  accounts.put_back(3);
  EXPECT_EQ(accounts.ledger(5, 0).drained, 0U);
}

TEST(Accounts, RefuseALedgerThatDoesNotBalance) {
  Accounts accounts(100);
  accounts.received(batch_of_run({1, 1}, 0, 10));
  EXPECT_THROW(Accounts::check(accounts.ledger(9, 0)), std::logic_error);
  EXPECT_THROW(Accounts::check(accounts.ledger(11, 0)), std::logic_error);
  EXPECT_NO_THROW(Accounts::check(accounts.ledger(10, 0)));
}

TEST(Ledger, BalancesOnlyWithEveryColumn) {
  EXPECT_TRUE(Ledger{}.balanced());
  EXPECT_TRUE(
      (Ledger{.received = 21, .buffered = 1, .drained = 2, .flushed = 3, .dropped = {4, 5, 6}})
          .balanced());
  EXPECT_FALSE(
      (Ledger{.received = 20, .buffered = 1, .drained = 2, .flushed = 3, .dropped = {4, 5, 6}})
          .balanced());
}

/// What session 1 has in its read number `read`: `count` frames from sequence `first`.
FrameBatch read_of(std::uint64_t read, std::uint64_t first, std::uint32_t count) {
  return batch_of_run({1, 1}, first, count, 0, {.session = 1, .read = read});
}

OriginStats only_origin(const Accounts& accounts) {
  return accounts.origins().page(0, 2).rows.at(0);
}

TEST(GivenUpBatch, IsJudgedInItsTurn) {
  Accounts accounts(100);
  accounts.received(read_of(1, 0, 10));
  accounts.given_up(read_of(3, 20, 5), Accounts::Judge::later);  // overtakes read 2
  accounts.given_up(read_of(4, 25, 5), Accounts::Judge::later);
  EXPECT_EQ(only_origin(accounts).frames, 20U) << "counted at once";
  EXPECT_EQ(only_origin(accounts).last_sequence, 9U);
  accounts.received(read_of(2, 10, 10));
  accounts.received(read_of(5, 30, 10));
  const OriginStats origin = only_origin(accounts);
  EXPECT_EQ(origin.last_sequence, 39U);
  EXPECT_EQ(origin.gaps + origin.missing + origin.late + origin.duplicates, 0U);
}

TEST(GivenUpBatch, HidesNoGapDuplicateOrLateFrame) {
  Accounts accounts(100);
  accounts.received(read_of(1, 0, 3));
  accounts.given_up(read_of(2, 3, 1), Accounts::Judge::later);
  accounts.given_up(read_of(3, 4, 1), Accounts::Judge::later);
  accounts.given_up(read_of(4, 3, 1), Accounts::Judge::later);  // late
  accounts.given_up(read_of(5, 4, 1), Accounts::Judge::later);  // a duplicate
  accounts.received(read_of(6, 7, 1));                          // 5 and 6 never came
  const OriginStats origin = only_origin(accounts);
  EXPECT_EQ(origin.gaps, 1U);
  EXPECT_EQ(origin.missing, 2U);
  EXPECT_EQ(origin.late, 1U);
  EXPECT_EQ(origin.duplicates, 1U);
  EXPECT_EQ(origin.last_sequence, 7U);
}

TEST(GivenUpBatch, IsJudgedOnceEverythingHasLeftTheChannel) {
  Accounts accounts(100);
  accounts.received(read_of(1, 0, 10));
  accounts.given_up(read_of(2, 15, 5), Accounts::Judge::later);
  accounts.caught_up();
  EXPECT_EQ(only_origin(accounts).missing, 5U);
  EXPECT_EQ(only_origin(accounts).last_sequence, 19U);
}

TEST(GivenUpBatch, IsJudgedAfterEarlierOnesOfItsSession) {
  Accounts accounts(100);
  accounts.received(read_of(1, 0, 10));
  accounts.given_up(read_of(2, 10, 5), Accounts::Judge::later);
  accounts.given_up(read_of(3, 15, 5), Accounts::Judge::now);
  const OriginStats origin = only_origin(accounts);
  EXPECT_EQ(origin.last_sequence, 19U);
  EXPECT_EQ(origin.gaps + origin.late, 0U);
}

TEST(GivenUpBatch, IsNotJoinedAcrossAReadThatArrived) {
  Accounts accounts(100, 11);  // ten frames are too few for a counter that has begun anew
  accounts.given_up(read_of(1, 0, 10), Accounts::Judge::later);
  accounts.given_up(read_of(3, 10, 10), Accounts::Judge::later);
  accounts.received(read_of(2, 100, 10));
  accounts.caught_up();
  const OriginStats origin = only_origin(accounts);
  EXPECT_EQ(origin.gaps, 1U);
  EXPECT_EQ(origin.missing, 90U);
  EXPECT_EQ(origin.late, 10U);
}

TEST(GivenUpBatch, WaitsForItsOwnSessionOnly) {
  Accounts accounts(100);
  accounts.given_up(batch_of_run({1, 1}, 10, 5, 0, {.session = 1, .read = 2}),
                    Accounts::Judge::later);
  accounts.received(batch_of_run({2, 1}, 0, 5, 0, {.session = 2, .read = 9}));
  EXPECT_FALSE(only_origin(accounts).last_sequence.has_value());
}

TEST(GivenUpBatches, TakeABoundedAmountOfMemory) {
  GivenUp given_up;
  const auto add = [&](SatelliteId satellite, std::uint64_t first) {
    return given_up.add({.origin = {satellite, 1}, .frames = 1, .first = first}, {.session = 1});
  };
  for (std::size_t i = 0; i < GivenUp::max_pieces; ++i) {
    ASSERT_TRUE(add(static_cast<SatelliteId>(i), 0));
  }
  EXPECT_FALSE(add(1, 77));
  EXPECT_TRUE(add(GivenUp::max_pieces - 1, 1)) << "continues the last piece";
  EXPECT_EQ(given_up.take_all().size(), GivenUp::max_pieces);
  EXPECT_TRUE(given_up.empty());
  EXPECT_TRUE(add(1, 77));
}

const DropReport::Entry& entry_for(const DropReport& report, DropReason reason) {
  return report.by_reason.at(static_cast<std::size_t>(reason));
}

TEST(DropReport, NamesNumberAndSatellitesForEachReason) {
  Accounts accounts(100);
  accounts.received(batch_of_run({1, 1}, 0, 5));
  accounts.dropped(DropReason::buffer_full_oldest, batch_of_run({1, 1}, 0, 2));
  accounts.dropped(DropReason::buffer_full_oldest, batch_of_run({1, 2}, 0, 1));
  accounts.dropped(DropReason::buffer_full_oldest, batch_of_run({7, 2}, 0, 1));
  accounts.given_up(batch_of_run({9, 1}, 0, 3), Accounts::Judge::now);

  const DropReport report = accounts.take_drop_report();

  EXPECT_EQ(entry_for(report, DropReason::buffer_full_oldest).frames, 4U);
  EXPECT_THAT(entry_for(report, DropReason::buffer_full_oldest).satellites,
              UnorderedElementsAre(1, 7));
  EXPECT_FALSE(entry_for(report, DropReason::buffer_full_oldest).more_satellites);
  EXPECT_EQ(entry_for(report, DropReason::buffer_full_newest).frames, 0U);
  EXPECT_THAT(entry_for(report, DropReason::buffer_full_newest).satellites, IsEmpty());
  EXPECT_EQ(entry_for(report, DropReason::channel_full).frames, 3U);
  EXPECT_THAT(entry_for(report, DropReason::channel_full).satellites, ElementsAre(9));
}

TEST(DropReport, IsEmptyAfterItWasTaken) {
  Accounts accounts(100);
  accounts.given_up(batch_of_run({9, 1}, 0, 3), Accounts::Judge::now);
  EXPECT_EQ(entry_for(accounts.take_drop_report(), DropReason::channel_full).frames, 3U);
  EXPECT_EQ(entry_for(accounts.take_drop_report(), DropReason::channel_full).frames, 0U);
  EXPECT_EQ(accounts.ledger(0, 0).dropped_for(DropReason::channel_full), 3U) << "the ledger stays";
}

TEST(DropReport, NamesFewSatellitesAndMentionsMore) {
  Accounts accounts(100);
  for (SatelliteId satellite = 0; satellite < 1000; ++satellite) {
    accounts.given_up(batch_of_run({satellite, 1}, 0, 1), Accounts::Judge::now);
  }
  const DropReport report = accounts.take_drop_report();
  const DropReport::Entry& entry = entry_for(report, DropReason::channel_full);
  EXPECT_EQ(entry.frames, 1000U);
  EXPECT_LE(entry.satellites.size(), 16U);
  EXPECT_GE(entry.satellites.size(), 1U);
  EXPECT_TRUE(entry.more_satellites);
  EXPECT_EQ(std::set(entry.satellites.begin(), entry.satellites.end()).size(),
            entry.satellites.size());
}

TEST(DropReason, HasADistinctNameEach) {
  std::set<std::string_view> names;
  for (const DropReason reason : all_drop_reasons) {
    names.insert(name_of(reason));
  }
  EXPECT_THAT(names, ElementsAre("buffer_full_newest", "buffer_full_oldest", "channel_full",
                                 "consumer_behind", "lease_evicted", "not_restored"));
}

}  // namespace
}  // namespace meridian::test
