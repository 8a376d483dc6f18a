// One aggregator goes, the next takes up what it has left; and limits that change meanwhile.
#include "aggregator/maintenance.hpp"
#include "unit/aggregator/aggregator_calls.hpp"
#include "unit/aggregator/aggregator_fixture.hpp"
#include "unit/frame/frame_samples.hpp"

#include <meridian/aggregator.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace aggregator;
namespace {

class RestoreTest : public test::AggregatorTest {
 protected:
  std::vector<std::uint64_t> drain_sequences(std::uint64_t max_frames = all_frames) {
    return sequences_of(drain(max_frames));
  }
  Ledger ledger() { return stats().ledger; }
  std::vector<OriginStats> origins() { return call(aggregator_->origins()).value(); }

  /// Ends this aggregator, and starts another one with what it had.
  Ledger restart(const AggregatorOptions& with = {}) {
    SavedState saved = call(aggregator_->shut_down()).value().saved;
    spawn(with);
    return call(Maintenance(*aggregator_).restore(std::move(saved))).value().ledger;
  }
};

TEST_F(RestoreTest, FramesComeBackInTheirOrder) {
  spawn({});
  send(batch_of_run({1, 1}, 0, 10));
  send(batch_of_run({2, 1}, 10, 10, 5000));
  send(batch_of_run({1, 1}, 20, 10));
  EXPECT_EQ(drain_sequences(5), numbers(0, 5));
  restart();
  send(batch_of_run({1, 1}, 30, 5));
  EXPECT_EQ(drain_sequences(), numbers(5, 30));
}

TEST_F(RestoreTest, FramesKeepTheirTimes) {
  const auto at = [](int time_us) {
    return ReadStamp{.received_at = ReceiveTime(std::chrono::microseconds(time_us))};
  };
  spawn({});
  send(batch_of_run({1, 1}, 0, 2, 0, at(11)));
  send(batch_of_run({1, 1}, 2, 1, 0, at(12)));
  restart();
  const Drained drained = drain();
  std::vector<std::int64_t> times;
  for (const BufferedBatch& buffered : drained.batches) {
    for (const FrameView frame : buffered.batch) {
      const auto offset = frame.octets.data() - buffered.batch.octets().data();
      times.push_back(
          buffered.batch.received_at(static_cast<std::size_t>(offset)).time_since_epoch().count());
    }
  }
  EXPECT_THAT(times, testing::ElementsAre(11, 11, 12));
}

TEST_F(RestoreTest, TheLedgerGoesOn) {
  spawn(options(8, 20, WhenFull::drop_oldest));
  send(batch_of_run({1, 1}, 0, 30));
  EXPECT_EQ(drain_sequences(4), numbers(10, 4));
  const Ledger before = ledger();
  const Ledger after = restart(options(8, 20, WhenFull::drop_oldest));
  EXPECT_EQ(after.received, before.received);
  EXPECT_EQ(after.buffered, 16U);
  EXPECT_EQ(after.drained, 4U);
  EXPECT_EQ(after.dropped, before.dropped);
  send(batch_of_run({1, 1}, 30, 1));
  EXPECT_EQ(ledger().received, 31U);
}

TEST_F(RestoreTest, OriginsGoOnWithoutAGap) {
  spawn({});
  send(batch_of_run({1, 1}, 0, 10));
  send(batch_of_run({1, 1}, 12, 1));
  EXPECT_EQ(drain_sequences(), (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12}));
  restart();
  ASSERT_EQ(origins().size(), 1U) << "although none of its frames was saved";
  send(batch_of_run({1, 1}, 13, 1));
  const OriginStats stats = origins().at(0);
  EXPECT_EQ(stats.frames, 12U);
  EXPECT_EQ(stats.gaps, 1U);
  EXPECT_EQ(stats.missing, 2U);
  EXPECT_EQ(stats.duplicates + stats.late, 0U);
  send(batch_of_run({1, 1}, 20, 1));
  EXPECT_EQ(origins().at(0).gaps, 2U);
}

TEST_F(RestoreTest, FramesThatAreMissingAreCountedAsDropped) {
  spawn({});
  send(batch_of_run({1, 1}, 0, 10, 5000));
  send(batch_of_run({1, 1}, 10, 7, 5000));
  SavedState saved = call(aggregator_->shut_down()).value().saved;
  saved.frames.pop_back();
  spawn({});
  const Ledger after = call(Maintenance(*aggregator_).restore(std::move(saved))).value().ledger;
  EXPECT_EQ(after.received, 17U);
  EXPECT_EQ(after.buffered, 10U);
  EXPECT_EQ(after.dropped_for(DropReason::not_restored), 7U);
  EXPECT_TRUE(after.balanced());
}

TEST_F(RestoreTest, FramesWithoutBooksCountAsReceived) {
  spawn({});
  send(batch_of_run({1, 1}, 5, 10));
  EXPECT_EQ(drain_sequences(2), numbers(5, 2));
  SavedState saved = call(aggregator_->shut_down()).value().saved;
  saved.ledger.reset();
  saved.origins.clear();
  spawn({});
  const Ledger after = call(Maintenance(*aggregator_).restore(std::move(saved))).value().ledger;
  EXPECT_EQ(after.received, 8U);
  EXPECT_EQ(after.drained, 0U);
  ASSERT_EQ(origins().size(), 1U);
  EXPECT_EQ(origins().at(0).frames, 8U);
  EXPECT_EQ(origins().at(0).last_sequence, 14U);
  EXPECT_EQ(origins().at(0).gaps, 0U);
}

TEST_F(RestoreTest, ImpossibleLedgerIsNotBelieved) {
  for (const Ledger& wrong : {Ledger{.received = 100, .buffered = 3},   // does not balance
                              Ledger{.received = 3, .buffered = 3}}) {  // fewer than there are
    SavedState saved;
    saved.ledger = wrong;
    saved.add(batch_of_run({1, 1}, 0, 5));
    spawn({});
    const Ledger after = call(Maintenance(*aggregator_).restore(std::move(saved))).value().ledger;
    EXPECT_EQ(after.received, 5U);
    EXPECT_EQ(after.buffered, 5U);
  }
}

TEST_F(RestoreTest, UntrackedOriginsAreNotCountedTwice) {
  const AggregatorOptions capped{.max_tracked = 1};
  spawn(capped);
  send(batch_of_run({1, 1}, 0, 3));
  send(batch_of_run({2, 1}, 0, 4));
  restart(capped);
  ASSERT_EQ(origins().size(), 2U);
  EXPECT_EQ(origins().at(0).frames, 3U);
  EXPECT_EQ(origins().at(1).frames, 4U);
  EXPECT_FALSE(origins().at(1).origin.has_value());
}

TEST_F(RestoreTest, NarrowerLimitsDropByTheirPolicy) {
  spawn({});
  send(batch_of_run({1, 1}, 0, 30));
  const Ledger after = restart(options(8, 10, WhenFull::drop_oldest));
  EXPECT_EQ(after.dropped_for(DropReason::buffer_full_oldest), 20U);
  EXPECT_EQ(drain_sequences(), numbers(20, 10));
}

TEST_F(RestoreTest, NarrowerLimitsLoseNothingUnderBackpressure) {
  spawn({});
  send(batch_of_run({1, 1}, 0, 30));
  EXPECT_EQ(restart(options(8, 10, WhenFull::backpressure)).buffered, 30U);
  EXPECT_EQ(drain_sequences(), numbers(0, 30));
}

TEST_F(RestoreTest, FramesHeldInTheChannelAreSavedToo) {
  spawn(options(8, 5, WhenFull::backpressure));
  send(batch_of_run({1, 1}, 0, 5));
  send(batch_of_run({1, 1}, 5, 5));
  send(batch_of_run({1, 1}, 10, 5));
  ASSERT_EQ(ledger().buffered, 5U);
  restart(options(8, 5, WhenFull::backpressure));
  EXPECT_EQ(drain_sequences(), numbers(0, 15));
}

TEST_F(RestoreTest, IsRepeatableForEver) {
  spawn({});
  std::uint64_t sent = 0;
  for (int time = 0; time < 50; ++time) {
    send(batch_of_run({1, 1}, sent, 10));
    sent += 10;
    restart();
  }
  EXPECT_EQ(ledger().received, sent);
  EXPECT_EQ(drain_sequences(), numbers(0, sent));
  EXPECT_EQ(origins().at(0).duplicates + origins().at(0).gaps, 0U);
}

class SetLimitsTest : public RestoreTest {
 protected:
  void set_limits(std::uint64_t max_frames, WhenFull when_full, std::size_t max_tracked = 100) {
    EXPECT_EQ(
        call(Maintenance(*aggregator_)
                 .set_limits({.max_frames = max_frames, .when_full = when_full}, max_tracked)),
        error_code{});
  }
};

TEST_F(SetLimitsTest, NarrowerLimitsDropByTheNewPolicy) {
  spawn({});
  send(batch_of_run({1, 1}, 0, 30));
  set_limits(20, WhenFull::drop_oldest);
  EXPECT_EQ(ledger().dropped_for(DropReason::buffer_full_oldest), 10U);
  set_limits(5, WhenFull::drop_newest);
  EXPECT_EQ(ledger().dropped_for(DropReason::buffer_full_newest), 15U);
  EXPECT_EQ(drain_sequences(), numbers(10, 5));
}

TEST_F(SetLimitsTest, WiderOnesLetInWhatBackpressureHeld) {
  spawn(options(8, 5, WhenFull::backpressure));
  send(batch_of_run({1, 1}, 0, 5));
  send(batch_of_run({1, 1}, 5, 5));
  ASSERT_EQ(ledger().buffered, 5U);
  set_limits(100, WhenFull::backpressure);
  EXPECT_EQ(ledger().buffered, 10U);
}

TEST_F(SetLimitsTest, NarrowerOnesUnderBackpressureWaitForDrains) {
  spawn(options(8, 100, WhenFull::backpressure));
  send(batch_of_run({1, 1}, 0, 10));
  set_limits(5, WhenFull::backpressure);
  EXPECT_EQ(ledger().buffered, 10U);
  send(batch_of_run({1, 1}, 10, 1));
  EXPECT_EQ(ledger().buffered, 10U) << "nothing more comes in";
  EXPECT_EQ(drain_sequences(6), numbers(0, 6));
  EXPECT_EQ(ledger().buffered, 5U);
}

TEST_F(SetLimitsTest, ALowerCapForgetsNoOrigin) {
  spawn({});
  send(batch_of_run({1, 1}, 0, 3));
  send(batch_of_run({2, 1}, 0, 3));
  set_limits(100, WhenFull::drop_oldest, 1);
  send(batch_of_run({2, 1}, 3, 1));
  send(batch_of_run({3, 1}, 0, 1));
  ASSERT_EQ(origins().size(), 3U);
  EXPECT_EQ(origins().at(1).frames, 4U);
  EXPECT_FALSE(origins().at(2).origin.has_value());
}

}  // namespace
}  // namespace meridian::test
