// Consumers: each reads the buffer along, and frames stay until all have them.
#include "unit/aggregator/consumer_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace aggregator;
namespace {

using namespace std::chrono_literals;

TEST_F(ConsumerTest, ReadsWhatIsThereAndThenWhatComes) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  send_run(0, 3);
  Consumer a = consume("a");
  EXPECT_EQ(sequences_in(next(a)), numbers(0, 3));
  auto waiting = test::start(context_, a.next(1'000));
  EXPECT_FALSE(test::is_ready(waiting));
  send_run(3, 2);
  test::poll(context_);
  EXPECT_EQ(sequences_in(waiting.get().value()), numbers(3, 2));
}

TEST_F(ConsumerTest, OfAnUnknownNameIsNone) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  std::optional<Consumer> consumer;
  EXPECT_EQ(call(begin(*aggregator_, "b", consumer)), Errc::consumer_unknown);
}

TEST_F(ConsumerTest, FramesStayUntilAllHaveThem) {
  spawn_with(WhenFull::backpressure, {{"a"}, {"b"}});
  send_run(0, 3);
  Consumer a = consume("a");
  Consumer b = consume("b");
  acknowledge(a, next(a));
  EXPECT_EQ(stats().ledger.buffered, 3U);
  EXPECT_EQ(stats_of("a").lag, Amount{});
  EXPECT_EQ(stats_of("a").acknowledged.frames, 3U);
  EXPECT_EQ(stats_of("b").lag.frames, 3U);
  const Batches read = next(b);
  EXPECT_EQ(stats_of("b").in_flight.frames, 3U);
  acknowledge(b, read);
  EXPECT_EQ(stats().ledger.buffered, 0U);
  EXPECT_EQ(stats().ledger.delivered, 3U);
  EXPECT_EQ(stats_of("b").in_flight, Amount{});
}

TEST_F(ConsumerTest, AcknowledgesInAnyOrderAndOnce) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  for (std::uint64_t i = 0; i < 4; ++i) {
    send_run(i);
  }
  Consumer a = consume("a");
  const Batches read = next(a);
  ASSERT_EQ(read.size(), 4U);
  for (const std::size_t index : {2U, 0U, 0U, 3U}) {
    EXPECT_EQ(call(a.acknowledge({read[index].places()})), error_code{});
  }
  EXPECT_EQ(stats().ledger.delivered, 3U);
  EXPECT_EQ(test::sequences_of(drain()), numbers(1, 1));
  EXPECT_EQ(call(a.acknowledge({{4711, 1}, {read[1].place, 2}})), error_code{})
      << "what it has not read so is not acknowledged";
  EXPECT_EQ(stats_of("a").in_flight.frames, 1U);
}

TEST_F(ConsumerTest, ReadsWholeBatchesUpToABound) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  for (std::uint64_t i = 0; i < 4; ++i) {
    send_run(i);
  }
  Consumer a = consume("a");
  EXPECT_EQ(next(a, 1).size(), 1U) << "at least one";
  EXPECT_EQ(next(a, 2 * (large + frame_header_bytes)).size(), 2U);
  EXPECT_EQ(next(a).size(), 1U);
}

TEST_F(ConsumerTest, NewFramesAreNotJoinedToReadOnes) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  Consumer a = consume("a");
  send(batch_of_run({1, 1}, 0, 1));
  const Batches first = next(a);
  send(batch_of_run({1, 1}, 1, 1));
  send(batch_of_run({1, 1}, 2, 1));
  acknowledge(a, first);
  EXPECT_EQ(sequences_in(next(a)), numbers(1, 2));
}

TEST_F(ConsumerTest, ThatHoldsMakesUplinksWait) {
  spawn_with(WhenFull::backpressure, {{"a"}}, 3);
  for (std::uint64_t i = 0; i < 5; ++i) {
    send_run(i);
  }
  Consumer a = consume("a");
  const Batches read = next(a);
  EXPECT_EQ(sequences_in(read), numbers(0, 3));
  acknowledge(a, read);
  EXPECT_EQ(sequences_in(next(a)), numbers(3, 2));
  EXPECT_EQ(stats().ledger.received, 5U);
}

TEST_F(ConsumerTest, ThatSkipsMakesRoomUnderEveryPolicy) {
  const std::map<WhenFull, DropReason> reasons{
      {WhenFull::backpressure, DropReason::consumer_behind},
      {WhenFull::drop_newest, DropReason::consumer_behind},
      {WhenFull::drop_oldest, DropReason::buffer_full_oldest}};
  for (const auto& [when_full, reason] : reasons) {
    spawn_with(when_full, {{.name = "a", .hold = false}}, 3);
    Consumer a = consume("a");
    send_run(0);
    const Batches in_flight = next(a);
    for (std::uint64_t i = 1; i < 6; ++i) {
      send_run(i);
    }
    EXPECT_EQ(stats().ledger.dropped_for(reason), 3U);
    EXPECT_EQ(skipped("a", Skip::buffer_full), 3U);
    EXPECT_EQ(sequences_in(next(a)), numbers(4, 2));
    acknowledge(a, in_flight);
    EXPECT_EQ(stats().ledger.delivered, 1U) << "what was in flight has stayed";
  }
}

TEST_F(ConsumerTest, ThatSkipsMakesRoomWithEverythingInFlight) {
  for (const std::vector<ConsumerOptions>& others :
       {std::vector<ConsumerOptions>{}, std::vector<ConsumerOptions>{{"a"}}}) {
    std::vector<ConsumerOptions> all = others;
    all.push_back({.name = "b", .hold = false});
    spawn_with(WhenFull::backpressure, all, 3);
    Consumer b = consume("b");
    Batches in_flight;
    for (std::uint64_t i = 0; i < 6; ++i) {
      send_run(i);
      std::ranges::move(next(b), std::back_inserter(in_flight));
      if (!others.empty()) {
        Consumer a = consume("a");
        acknowledge(a, next(a));
      }
    }
    EXPECT_EQ(stats().ledger.buffered, 3U);
    EXPECT_EQ(skipped("b", Skip::buffer_full), 0U) << "it has them";
    acknowledge(b, in_flight);
    EXPECT_EQ(stats_of("b").acknowledged.frames, 6U);
    EXPECT_EQ(stats_of("b").lag.frames, 0U);
    EXPECT_EQ(stats().ledger.buffered, 0U);
  }
}

TEST_F(ConsumerTest, ThatSkipsLeavesFramesToThoseThatHold) {
  spawn_with(WhenFull::backpressure, {{"a"}, {.name = "b", .hold = false}}, 3);
  Consumer a = consume("a");
  Consumer b = consume("b");
  for (std::uint64_t i = 0; i < 9; ++i) {
    send_run(i);
    acknowledge(a, next(a));
  }
  EXPECT_EQ(stats_of("a").acknowledged.frames, 9U);
  EXPECT_EQ(skipped("b", Skip::buffer_full), 6U);
  EXPECT_EQ(stats().ledger.delivered, 6U) << "they are not lost: a has them";
  EXPECT_EQ(sequences_in(next(b)), numbers(6, 3));
  EXPECT_EQ(stats().ledger.received, 9U);
}

TEST_F(ConsumerTest, RestOfABatchStillMakesRoom) {
  spawn_with(WhenFull::backpressure, {{"holds"}, {.name = "away", .hold = false}}, 10);
  send_run(0, 8);
  Consumer holds = consume("holds");
  acknowledge(holds, next(holds));
  EXPECT_EQ(drain(3).taken.frames, 3U);
  send_run(8, 5);
  send_run(13, 5);  // which finds no room beside the rest
  EXPECT_EQ(sequences_in(next(holds)), numbers(8, 10));
  EXPECT_EQ(skipped("away", Skip::buffer_full), 5U);
}

TEST_F(ConsumerTest, FrameWithoutRoomBesideALeaseDropsNothing) {
  AggregatorOptions with = test::options(16, 100, WhenFull::backpressure);
  with.buffer.max_bytes = 10'000;
  with.consumers = {{.name = "away", .hold = false}};
  spawn(with);
  send(batch_of_run({1, 1}, 0, 1, 6'000));
  const Leased leased = call(aggregator_->lease({.max_frames = 1, .duration = 1h})).value();
  send(batch_of_run({1, 1}, 1, 1, 1'000));
  auto waiting = test::start(context_, aggregator_->send(batch_of_run({1, 1}, 2, 1, 5'000)));
  test::poll(context_);
  EXPECT_EQ(stats().ledger.buffered, 1U) << "to drop it would have been in vain";
  EXPECT_TRUE(call(aggregator_->commit(*leased.id)).has_value());
  test::poll(context_);
  EXPECT_EQ(stats().ledger.buffered, 2U);
}

TEST_F(ConsumerTest, SkipsWhatIsDrainedOnceItIsDelivered) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  for (std::uint64_t i = 0; i < 4; ++i) {
    send_run(i);
  }
  Consumer a = consume("a");
  Lent lent = lend(2);
  EXPECT_EQ(sequences_in(next(a)), numbers(2, 2)) << "what is not there is passed over";
  EXPECT_EQ(call(std::move(lent).settle()), error_code{});
  EXPECT_EQ(skipped("a", Skip::drained), 2U);
  EXPECT_EQ(stats_of("a").lag, stats_of("a").in_flight);
}

TEST_F(ConsumerTest, ReadsReturnedFramesUnlessAlreadyRead) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  for (std::uint64_t i = 0; i < 4; ++i) {
    send_run(i);
  }
  Consumer a = consume("a");
  const Batches first = next(a, 1);
  Lent lent = lend(2);
  acknowledge(a, first);
  acknowledge(a, next(a));
  EXPECT_EQ(call(std::move(lent).put_back()), error_code{});
  EXPECT_EQ(stats().ledger.delivered, 3U) << "the first has been acknowledged meanwhile";
  EXPECT_EQ(sequences_in(next(a)), numbers(1, 1));
}

TEST_F(ConsumerTest, ReadsWhatALeaseGivesBack) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  send_run(0, 4);
  Consumer a = consume("a");
  const Leased leased =
      call(aggregator_->lease({.max_frames = all_frames, .duration = 1h})).value();
  auto waiting = test::start(context_, a.next(1'000));
  EXPECT_FALSE(test::is_ready(waiting));
  EXPECT_EQ(call(aggregator_->release(leased.id.value())).value().frames, 4U);
  test::poll(context_);
  EXPECT_EQ(sequences_in(waiting.get().value()), numbers(0, 4));
}

TEST_F(ConsumerTest, SkipsWhatALeaseHasCommitted) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  send_run(0, 4);
  const Leased leased =
      call(aggregator_->lease({.max_frames = all_frames, .duration = 1h})).value();
  EXPECT_EQ(call(aggregator_->commit(leased.id.value())).value().frames, 4U);
  EXPECT_EQ(skipped("a", Skip::drained), 4U);
  EXPECT_EQ(stats_of("a").lag, Amount{});
}

TEST_F(ConsumerTest, SkipsWhatIsFlushed) {
  spawn_with(WhenFull::backpressure, {{"a"}}, 3);
  for (std::uint64_t i = 0; i < 5; ++i) {
    send_run(i);  // two of them wait in the channel
  }
  EXPECT_EQ(call(aggregator_->flush()).value(), 5U);
  EXPECT_EQ(skipped("a", Skip::flushed), 3U);
  EXPECT_EQ(stats_of("a").lag, Amount{});
}

TEST_F(ConsumerTest, LagsBehindWhatIsHeldOnly) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  const ReceiveTime long_ago{1'000'000us};
  send(batch_of_run({1, 1}, 0, 2, large, {.received_at = long_ago}));
  send(batch_of_run({1, 1}, 2, 2, large, {.received_at = long_ago + 1us}));
  send(batch_of_run({1, 1}, 4, 1, large, {.received_at = long_ago + 2us}));
  Consumer a = consume("a");
  Batches read = next(a, 1);
  for (BufferedBatch& batch : next(a, 1)) {
    read.push_back(std::move(batch));
  }
  EXPECT_EQ(stats_of("a").lag.frames, 5U);
  EXPECT_EQ(drain(3).taken.frames, 3U);
  const ConsumerStats drained = stats_of("a");
  EXPECT_EQ(drained.lag.frames, 2U);
  EXPECT_EQ(drained.lag, (Amount{.frames = 2, .bytes = stats().buffer.now.bytes}));
  EXPECT_EQ(drained.unread.frames, 1U);
  EXPECT_EQ(drained.in_flight.frames, 4U) << "it has them, and may deliver them";
  EXPECT_EQ(drained.oldest, long_ago + 1us);
  acknowledge(a, read);
  const ConsumerStats delivered = stats_of("a");
  EXPECT_EQ(delivered.lag, delivered.unread);
  EXPECT_EQ(delivered.in_flight, Amount{});
  EXPECT_EQ(delivered.oldest, long_ago + 2us);
  EXPECT_EQ(delivered.acknowledged.frames, 4U);
  acknowledge(a, next(a));
  EXPECT_EQ(stats_of("a").lag, Amount{});
}

TEST_F(ConsumerTest, DoesNotLagBehindFramesDrainedInFlight) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  send_run(0, 4);
  Consumer a = consume("a");
  std::ignore = next(a);
  EXPECT_EQ(drain(3).taken.frames, 3U);
  EXPECT_EQ(call(a.suspend({})), error_code{});
  EXPECT_EQ(stats_of("a").lag.frames, 1U);
  EXPECT_EQ(stats_of("a").unread.frames, 1U);
  EXPECT_EQ(sequences_in(next(a)), numbers(3, 1));
}

TEST_F(ConsumerTest, TellsHowOldTheOldestIs) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  EXPECT_EQ(stats_of("a").oldest, std::nullopt);
  const ReceiveTime long_ago{1'000'000us};
  send(batch_of_run({1, 1}, 0, 1, large, {.received_at = long_ago}));
  send(batch_of_run({1, 1}, 1, 1, large, {.received_at = long_ago + 1us}));
  EXPECT_EQ(stats_of("a").oldest, long_ago);
  Consumer a = consume("a");
  const Batches first = next(a, 1);
  EXPECT_EQ(stats_of("a").oldest, long_ago) << "it is in flight";
  acknowledge(a, first);
  EXPECT_EQ(stats_of("a").oldest, long_ago + 1us);
}

TEST_F(ConsumerTest, ReadsAgainWhatNobodyWaitedForAnyMore) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  Consumer a = consume("a");
  asio::cancellation_signal cancel;
  auto cancelled = asio::co_spawn(context_, a.next(1'000),
                                  asio::bind_cancellation_slot(cancel.slot(), asio::use_future));
  test::poll(context_);
  cancel.emit(asio::cancellation_type::terminal);
  test::poll(context_);
  EXPECT_EQ(cancelled.get().error(), asio::error::operation_aborted);
  send_run(0, 2);
  EXPECT_EQ(sequences_in(next(a)), numbers(0, 2));
}

}  // namespace
}  // namespace meridian::test
