// The positions of consumers, over a restart.
#include "aggregator/maintenance.hpp"
#include "unit/aggregator/consumer_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace aggregator;
namespace {

using testing::IsEmpty;

class ConsumerRestart : public test::ConsumerTest {
 protected:
  void restart(const std::vector<ConsumerOptions>& consumers) {
    SavedState saved = call(aggregator_->shut_down()).value().saved;
    spawn_with(WhenFull::backpressure, consumers);
    EXPECT_TRUE(call(Maintenance(*aggregator_).restore(std::move(saved))).has_value());
  }
};

TEST_F(ConsumerRestart, GoesOnWhereItWas) {
  spawn_with(WhenFull::backpressure, {{"a"}, {"b"}});
  for (std::uint64_t i = 0; i < 5; ++i) {
    send_run(i);
  }
  const std::uint64_t epoch = consume("a").epoch();
  {
    Consumer a = consume("a");
    acknowledge(a, next(a, 1));
    const Batches attempted = next(a, 1);
    const Batches forgotten = next(a, 1);
    const Attempt attempt{
        .origin = {1, 1}, .ranges = places_of(attempted), .frames = 1, .epoch = epoch};
    EXPECT_EQ(call(a.suspend({attempt})), error_code{});
  }
  restart({{"a"}, {"b"}});
  Consumer a = consume("a");
  EXPECT_NE(a.epoch(), epoch) << "somebody else may take up the same state";
  const Resumed resumed = call(a.resume()).value();
  ASSERT_EQ(resumed.attempts.size(), 1U);
  EXPECT_EQ(resumed.attempts[0].ranges, places_of(resumed.batches));
  EXPECT_EQ(resumed.attempts[0].epoch, epoch);
  EXPECT_EQ(sequences_in(resumed.batches), numbers(1, 1));
  EXPECT_EQ(stats_of("a").lag.frames, 4U);
  EXPECT_EQ(stats_of("a").in_flight.frames, 1U);
  EXPECT_EQ(sequences_in(next(a)), numbers(2, 3));
  send_run(5);
  EXPECT_EQ(sequences_in(next(a)), numbers(5, 1));
  Consumer b = consume("b");
  EXPECT_EQ(sequences_in(next(b)), numbers(0, 6));
  EXPECT_THAT(call(b.resume()).value().attempts, IsEmpty());
}

TEST_F(ConsumerRestart, EveryStartHasItsOwnEpoch) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  std::set<std::uint64_t> epochs{0, consume("a").epoch()};
  const SavedState saved = call(aggregator_->shut_down()).value().saved;
  for (int copy = 0; copy < 3; ++copy) {
    spawn_with(WhenFull::backpressure, {{"a"}});
    SavedState again;
    again.positions = saved.positions;
    EXPECT_TRUE(call(Maintenance(*aggregator_).restore(std::move(again))).has_value());
    EXPECT_TRUE(epochs.insert(consume("a").epoch()).second);
    std::ignore = call(aggregator_->shut_down());
  }
}

TEST_F(ConsumerRestart, ReadsAgainWhatWasInFlight) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  send_run(0, 2);
  {
    Consumer a = consume("a");
    std::ignore = next(a);
  }
  restart({{"a"}});
  Consumer a = consume("a");
  EXPECT_EQ(sequences_in(next(a)), numbers(0, 2));
}

TEST_F(ConsumerRestart, AttemptsRemainUntilTheConsumerSaysOtherwise) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  send_run(0);
  send_run(1);
  {
    Consumer a = consume("a");
    const Attempt attempt{.origin = {1, 1}, .ranges = places_of(next(a, 1)), .frames = 1};
    EXPECT_EQ(call(a.suspend({attempt})), error_code{});
  }
  restart({{"a"}});  // and stopped before it asks
  restart({{"a"}});
  {
    Consumer a = consume("a");
    EXPECT_EQ(call(a.resume()).value().attempts.size(), 1U);
  }  // and stopped before it suspends
  restart({{"a"}});
  Consumer a = consume("a");
  const Resumed resumed = call(a.resume()).value();
  EXPECT_EQ(resumed.attempts.size(), 1U);
  EXPECT_EQ(sequences_in(resumed.batches), numbers(0, 1));
  EXPECT_EQ(sequences_in(next(a)), numbers(1, 1));
}

TEST_F(ConsumerRestart, WhatIsDrainedBeforeItResumesIsSkipped) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  send_run(0, 2);
  {
    Consumer a = consume("a");
    const Attempt attempt{.origin = {1, 1}, .ranges = places_of(next(a)), .frames = 2};
    EXPECT_EQ(call(a.suspend({attempt})), error_code{});
  }
  restart({{"a"}});
  EXPECT_EQ(drain(1).taken.frames, 1U);
  Consumer a = consume("a");
  EXPECT_EQ(sequences_in(call(a.resume()).value().batches), numbers(1, 1));
  EXPECT_EQ(skipped("a", Skip::drained), 1U);
  EXPECT_EQ(stats_of("a").lag.frames, 1U);
}

TEST_F(ConsumerRestart, NewFramesAreNotJoinedToAttempts) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  send(batch_of_run({1, 1}, 0, 1));
  {
    Consumer a = consume("a");
    const Attempt attempt{.origin = {1, 1}, .ranges = places_of(next(a)), .frames = 1};
    EXPECT_EQ(call(a.suspend({attempt})), error_code{});
  }
  restart({{"a"}});
  send(batch_of_run({1, 1}, 1, 1));
  Consumer a = consume("a");
  const Batches resumed = std::move(call(a.resume()).value().batches);
  EXPECT_EQ(sequences_in(resumed), numbers(0, 1));
  const Batches rest = next(a);
  EXPECT_EQ(sequences_in(rest), numbers(1, 1));
  acknowledge(a, resumed);
  acknowledge(a, rest);
  EXPECT_EQ(stats().ledger.buffered, 0U);
}

TEST_F(ConsumerRestart, FramesThatOnlyARemovedConsumerNeededLeave) {
  spawn_with(WhenFull::backpressure, {{"a"}, {"b"}});
  send_run(0);
  send_run(1);
  Consumer a = consume("a");
  acknowledge(a, next(a, 1));
  EXPECT_EQ(call(a.suspend({})), error_code{});
  restart({{"a"}});
  EXPECT_EQ(stats().ledger.delivered, 1U);
  EXPECT_EQ(stats().ledger.buffered, 1U);
}

TEST_F(ConsumerRestart, ANewOneBeginsWithWhatIsThere) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  send_run(0);
  restart({{"a"}, {"new"}});
  Consumer added = consume("new");
  EXPECT_EQ(sequences_in(next(added)), numbers(0, 1));
}

}  // namespace
}  // namespace meridian::test
