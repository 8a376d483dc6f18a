#include "aggregator/maintenance.hpp"
#include "unit/aggregator/aggregator_calls.hpp"
#include "unit/aggregator/aggregator_fixture.hpp"
#include "unit/frame/frame_samples.hpp"

#include <meridian/aggregator.hpp>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace aggregator;
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(AggregatorTest, IsEmptyAtFirst) {
  spawn({});
  EXPECT_EQ(call(aggregator_->depth()).value().frames, 0U);
  EXPECT_EQ(call(aggregator_->depth()).value().bytes, 0U);
  EXPECT_THAT(drain().batches, IsEmpty());
  EXPECT_EQ(call(aggregator_->flush()).value(), 0U);
  EXPECT_THAT(call(aggregator_->origins()).value(), IsEmpty());
  EXPECT_TRUE(stats().ledger.balanced());
}

TEST_F(AggregatorTest, CountsFramesAndWireOctets) {
  spawn({});
  send(batch_of_run({1, 1}, 0, 10, 64));
  EXPECT_FALSE(aggregator_->try_send(batch_of_run({1, 1}, 10, 5)).has_value());
  const Amount depth = call(aggregator_->depth()).value();
  EXPECT_EQ(depth.frames, 15U);
  EXPECT_EQ(depth.bytes, 10U * 84 + 5U * 20);
}

TEST_F(AggregatorTest, DrainsTheOldestUpToTheGivenNumber) {
  spawn({});
  send(batch_of_run({1, 1}, 0, 10, 3, {.session = 8}));
  send(batch_of_run({1, 1}, 10, 10, 0, {.session = 8}));
  const Drained first = drain(12);
  EXPECT_EQ(sequences_of(first), numbers(0, 12));
  EXPECT_EQ(first.taken.frames, 12U);
  EXPECT_EQ(first.taken.bytes, 10U * 23 + 2U * 20);
  EXPECT_EQ(first.remaining, 8U);
  EXPECT_EQ(first.batches.at(0).batch.stamp().session, 8U);
  const Drained rest = drain();
  EXPECT_EQ(sequences_of(rest), numbers(12, 8));
  EXPECT_EQ(rest.remaining, 0U);
}

TEST_F(AggregatorTest, DrainsTheOctetsThatWereSent) {
  spawn({});
  FrameBatch batch = batch_of_run({7, 8}, 0, 10, 1000);
  const FrameBatch sent = batch.share();
  send(std::move(batch));
  const Drained drained = drain();
  ASSERT_EQ(drained.batches.size(), 1U);
  EXPECT_EQ(drained.batches[0].batch.octets().data(), sent.octets().data()) << "copied";
}

TEST_F(AggregatorTest, DrainsOneSatellite) {
  spawn({});
  const std::vector<FrameHeader> mixed{header(1, 0, 0), header(2, 0, 100), header(1, 0, 1)};
  send(batch_of(mixed));
  send(batch_of_run({2, 0}, 101, 3));
  const Drained twos = drain(all_frames, 2);
  EXPECT_THAT(sequences_of(twos), ElementsAre(100, 101, 102, 103));
  EXPECT_EQ(twos.remaining, 2U);
  EXPECT_THAT(drain(all_frames, 3).batches, IsEmpty());
  EXPECT_THAT(sequences_of(drain()), ElementsAre(0, 1));
}

TEST_F(AggregatorTest, DrainsMoreBatchesThanOneStepLooksAt) {
  spawn(options(10'000, 1'000'000, WhenFull::drop_oldest));
  for (std::uint64_t i = 0; i < 5000; ++i) {
    ASSERT_FALSE(aggregator_->try_send(batch_of_run({1, 1}, 2 * i, 2)).has_value());
  }
  EXPECT_EQ(sequences_of(drain(9999)), numbers(0, 9999));
  EXPECT_EQ(stats().ledger.drained, 9999U);
  EXPECT_EQ(sequences_of(drain()), numbers(9999, 1));
}

TEST_F(AggregatorTest, DrainsNothingForNone) {
  spawn({});
  send(batch_of_run({1, 1}, 0, 3));
  const Drained none = drain(0);
  EXPECT_THAT(none.batches, IsEmpty());
  EXPECT_EQ(none.remaining, 3U);
}

TEST_F(AggregatorTest, FlushesEverything) {
  spawn({});
  send(batch_of_run({1, 1}, 0, 10));
  send(batch_of_run({2, 1}, 0, 5));
  EXPECT_EQ(call(aggregator_->flush()).value(), 15U);
  EXPECT_EQ(call(aggregator_->depth()).value().frames, 0U);
  const Ledger ledger = stats().ledger;
  EXPECT_EQ(ledger.flushed, 15U);
  EXPECT_TRUE(ledger.balanced());
}

TEST_F(AggregatorTest, PutsDrainedFramesBackInTheirPlace) {
  spawn({});
  send(batch_of_run({1, 1}, 0, 10));
  Lent lent = lend(7);
  send(batch_of_run({1, 1}, 10, 5));
  EXPECT_EQ(call(std::move(lent).put_back()), error_code{});
  const AggregatorStats after = stats();
  EXPECT_EQ(after.ledger.drained, 0U);
  EXPECT_EQ(after.ledger.buffered, 15U);
  EXPECT_EQ(after.ledger.received, 15U);
  EXPECT_EQ(sequences_of(drain()), numbers(0, 15));
}

TEST_F(AggregatorTest, PutsBackMoreBatchesThanOneMessageHolds) {
  spawn(options(10'000, 1'000'000, WhenFull::drop_oldest));
  for (std::uint64_t i = 0; i < 5000; ++i) {
    ASSERT_FALSE(aggregator_->try_send(batch_of_run({1, 1}, i, 1)).has_value());
  }
  EXPECT_EQ(call(lend().put_back()), error_code{});
  EXPECT_EQ(sequences_of(drain()), numbers(0, 5000));
}

TEST_F(AggregatorTest, TellsItsLevels) {
  spawn({.channel_capacity = 7,
         .buffer = {.max_frames = 100, .max_bytes = 5000, .when_full = WhenFull::drop_newest}});
  send(batch_of_run({1, 1}, 0, 60));
  EXPECT_EQ(drain(50).taken.frames, 50U);
  const AggregatorStats now = stats();
  EXPECT_EQ(now.buffer.now.frames, 10U);
  EXPECT_EQ(now.buffer.now.bytes, 200U);
  EXPECT_EQ(now.buffer.high_water.frames, 60U);
  EXPECT_EQ(now.buffer.high_water.bytes, 1200U);
  EXPECT_EQ(now.buffer.limits.max_frames, 100U);
  EXPECT_EQ(now.buffer.limits.max_bytes, 5000U);
  EXPECT_EQ(now.buffer.limits.when_full, WhenFull::drop_newest);
  EXPECT_EQ(now.channel.capacity, 7U);
  EXPECT_EQ(now.channel.length, 0U);
  EXPECT_EQ(now.channel.high_water, 1U);
}

TEST_F(AggregatorTest, CountsWhatThePolicyDrops) {
  spawn(options(10, 8, WhenFull::drop_oldest));
  send(batch_of_run({5, 1}, 0, 20));
  Ledger ledger = stats().ledger;
  EXPECT_EQ(ledger.received, 20U);
  EXPECT_EQ(ledger.buffered, 8U);
  EXPECT_EQ(ledger.dropped_for(DropReason::buffer_full_oldest), 12U);
  const auto origins = call(aggregator_->origins()).value();
  ASSERT_EQ(origins.size(), 1U);
  EXPECT_EQ(origins[0].dropped, 12U);
  EXPECT_EQ(origins[0].frames, 20U);
  EXPECT_EQ(origins[0].gaps, 0U);
  const DropReport report = call(Maintenance(*aggregator_).take_drop_report()).value();
  const auto& entry = report.by_reason.at(static_cast<std::size_t>(DropReason::buffer_full_oldest));
  EXPECT_EQ(entry.frames, 12U);
  EXPECT_THAT(entry.satellites, ElementsAre(5));
  EXPECT_EQ(call(Maintenance(*aggregator_).take_drop_report()).value().by_reason.at(0).frames, 0U);
}

TEST_F(AggregatorTest, NamesEveryOriginOverManySteps) {
  spawn({.max_tracked = 10'000});
  std::vector<FrameHeader> headers;
  for (SatelliteId satellite = 0; satellite < 10'100; ++satellite) {
    headers.push_back(header(satellite, 4, satellite));
  }
  send(batch_of(headers));
  const auto origins = call(aggregator_->origins()).value();
  ASSERT_EQ(origins.size(), 10'001U);
  for (SatelliteId satellite = 0; satellite < 10'000; ++satellite) {
    ASSERT_EQ(origins[satellite].origin, (Origin{satellite, 4}));
  }
  EXPECT_FALSE(origins.back().origin.has_value());
  EXPECT_EQ(origins.back().frames, 100U);
}

// A full channel --------------------------------------------------------------------------------

TEST_F(AggregatorTest, CountsGivenUpFramesAsDroppedNotMissing) {
  spawn(options(3, 1000, WhenFull::drop_oldest));
  std::uint64_t next = 0;
  std::uint64_t sent = 0;
  std::optional<Refused<FrameBatch>> refused;
  while (!refused) {  // the aggregator does not run meanwhile
    refused = aggregator_->try_send(batch_of_run({1, 1}, next, 10));
    sent += refused ? 0 : 10;
    next += 10;
  }
  EXPECT_EQ(sent, 30U);
  EXPECT_EQ(refused->reason, Errc::channel_full);
  EXPECT_EQ(refused->value.frames(), 10U);

  EXPECT_EQ(call(aggregator_->give_up(std::move(refused->value))), error_code{});
  send(batch_of_run({1, 1}, next, 10));

  const Ledger ledger = stats().ledger;
  EXPECT_EQ(ledger.received, 50U);
  EXPECT_EQ(ledger.buffered, 40U);
  EXPECT_EQ(ledger.dropped_for(DropReason::channel_full), 10U);
  EXPECT_TRUE(ledger.balanced());
  const OriginStats origin = call(aggregator_->origins()).value().at(0);
  EXPECT_EQ(origin.frames, 50U);
  EXPECT_EQ(origin.dropped, 10U);
  EXPECT_EQ(origin.gaps, 0U);
  EXPECT_EQ(origin.missing, 0U);
  EXPECT_EQ(origin.last_sequence, 49U);
}

TEST_F(AggregatorTest, CountsAGapBesideWhatWasGivenUp) {
  spawn({});
  send(batch_of_run({1, 1}, 0, 10));
  EXPECT_EQ(call(aggregator_->give_up(batch_of_run({1, 1}, 10, 10))), error_code{});
  send(batch_of_run({1, 1}, 25, 10));  // 20 to 24 never came
  const OriginStats origin = call(aggregator_->origins()).value().at(0);
  EXPECT_EQ(origin.gaps, 1U);
  EXPECT_EQ(origin.missing, 5U);
}

// Its life --------------------------------------------------------------------------------------

TEST_F(AggregatorTest, EndsWithItsLastHandle) {
  spawn({});
  send(batch_of_run({1, 1}, 0, 10));
  std::optional<AggregatorHandle> copy(*aggregator_);
  aggregator_.reset();
  EXPECT_EQ(test::call_now(context_, copy->depth()).value().frames, 10U);
  copy.reset();
  test::poll(context_);
  EXPECT_TRUE(context_.stopped()) << "something is left that waits";
}

TEST_F(AggregatorTest, EndsWithItsLastHandleDespiteBackpressure) {
  spawn(options(2, 5, WhenFull::backpressure));
  send(batch_of_run({1, 1}, 0, 10));
  send(batch_of_run({1, 1}, 10, 10));
  EXPECT_EQ(call(aggregator_->depth()).value().frames, 5U);
  aggregator_.reset();
  test::poll(context_);
  EXPECT_TRUE(context_.stopped()) << "something is left that waits";
}

TEST_F(AggregatorTest, LivesUntilACallInProgressIsAnswered) {
  spawn({});
  auto answer = asio::co_spawn(context_, aggregator_->depth(), asio::use_future);
  aggregator_.reset();
  test::poll(context_);
  ASSERT_TRUE(test::is_ready(answer));
  EXPECT_TRUE(answer.get().has_value());
  EXPECT_TRUE(context_.stopped());
}

TEST_F(AggregatorTest, IsShutDownForAllHandles) {
  spawn({});
  send(batch_of_run({1, 1}, 0, 10));
  const AggregatorHandle copy(*aggregator_);
  const auto last = call(aggregator_->shut_down());
  ASSERT_TRUE(last.has_value());
  EXPECT_EQ(last->stats.ledger.buffered, 10U);
  EXPECT_TRUE(last->stats.ledger.balanced());

  EXPECT_EQ(call(copy.send(batch_of_run({1, 1}, 10, 1))), Errc::aggregator_shut_down);
  const auto refused = copy.try_send(batch_of_run({1, 1}, 10, 7));
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->reason, Errc::aggregator_shut_down);
  EXPECT_EQ(refused->value.frames(), 7U);
  EXPECT_EQ(call(copy.give_up(batch_of_run({1, 1}, 10, 1))), Errc::aggregator_shut_down);
  EXPECT_EQ(call(copy.depth()).error(), Errc::aggregator_shut_down);
  EXPECT_EQ(call(copy.drain({.max_frames = 1})).error(), Errc::aggregator_shut_down);
  EXPECT_EQ(call(copy.flush()).error(), Errc::aggregator_shut_down);
  EXPECT_EQ(call(copy.stats()).error(), Errc::aggregator_shut_down);
  EXPECT_EQ(call(copy.origins()).error(), Errc::aggregator_shut_down);
  EXPECT_EQ(call(copy.shut_down()).error(), Errc::aggregator_shut_down);
}

TEST_F(AggregatorTest, ShutDownTakesInWhatBackpressureHeldBack) {
  spawn(options(2, 5, WhenFull::backpressure));
  std::vector<std::future<error_code>> sent;
  for (std::uint64_t first = 0; first < 40; first += 10) {
    sent.push_back(asio::co_spawn(context_, aggregator_->send(batch_of_run({1, 1}, first, 10)),
                                  asio::use_future));
  }
  test::poll(context_);
  ASSERT_FALSE(test::is_ready(sent.back())) << "there is room for one batch too many";
  EXPECT_EQ(call(aggregator_->shut_down()).value().stats.ledger.buffered, 30U);
  EXPECT_EQ(sent.back().get(), Errc::aggregator_shut_down);
  EXPECT_TRUE(context_.stopped()) << "something is left that waits";
}

TEST_F(AggregatorTest, DropsRepliesThatAShutDownOvertakes) {
  spawn({});
  auto last = asio::co_spawn(context_, aggregator_->shut_down(), asio::use_future);
  auto depth = asio::co_spawn(context_, aggregator_->depth(), asio::use_future);
  test::poll(context_);
  EXPECT_TRUE(last.get().has_value());
  EXPECT_EQ(depth.get().error(), Errc::reply_dropped);
}

TEST_F(AggregatorTest, RefusesOptionsOfZero) {
  EXPECT_THROW(spawn({.channel_capacity = 0}), std::invalid_argument);
  EXPECT_THROW(spawn({.buffer = {.max_frames = 0}}), std::invalid_argument);
  EXPECT_THROW(spawn({.buffer = {.max_bytes = 0}}), std::invalid_argument);
  EXPECT_THROW(spawn({.max_tracked = 0}), std::invalid_argument);
}

}  // namespace
}  // namespace meridian::test
