// What the aggregator tells for metrics: arrivals, peaks, frames that are lent, sums.
#include "aggregator/maintenance.hpp"
#include "unit/aggregator/aggregator_calls.hpp"
#include "unit/aggregator/aggregator_fixture.hpp"
#include "unit/frame/frame_samples.hpp"

#include <meridian/aggregator.hpp>
#include <meridian/distribution.hpp>

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <numeric>
#include <tuple>
#include <utility>

namespace meridian::test {

using namespace aggregator;
namespace {

constexpr std::array<std::uint64_t, 3> tens{10, 20, 30};

TEST(Distribution, CountsABoundToTheRangeBelowIt) {
  Distribution<tens> distribution;
  for (const std::uint64_t value : {0U, 10U, 11U, 20U, 30U, 31U, 1000U}) {
    distribution.add(value);
  }
  EXPECT_EQ(distribution.counts(), (std::array<std::uint64_t, 4>{2, 2, 1, 2}));
  EXPECT_EQ(distribution.sum(), 1102U);
}

class AggregatorFigures : public AggregatorTest {
 protected:
  /// How many values are in a distribution.
  static std::uint64_t values_in(const auto& distribution) {
    const auto& counts = distribution.counts();
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  }
  static ReadStamp received(std::chrono::milliseconds ago) {
    return {.received_at = std::chrono::floor<std::chrono::microseconds>(
                std::chrono::system_clock::now() - ago)};
  }
};

TEST_F(AggregatorFigures, ArrivalsAreCountedByBatch) {
  spawn({});
  send(batch_of_run({1, 1}, 0, 1));
  send(batch_of_run({1, 1}, 1, 5));
  send(batch_of_run({1, 1}, 6, 100'000));
  const auto& frames = stats().arrivals.batch_frames;
  EXPECT_EQ(frames.counts().front(), 1U);
  EXPECT_EQ(frames.counts().at(2), 1U) << "5 to 16";
  EXPECT_EQ(frames.counts().back(), 1U);
  EXPECT_EQ(frames.sum(), 100'006U);
}

TEST_F(AggregatorFigures, CountABatchTakenInPartsOnce) {
  spawn(test::options(8, 10, WhenFull::backpressure));
  send(batch_of_run({1, 1}, 0, 25));
  EXPECT_EQ(values_in(stats().arrivals.latency_us), 0U) << "not all of it is in the buffer yet";
  std::ignore = drain(10);
  std::ignore = drain(10);
  const Arrivals arrivals = stats().arrivals;
  EXPECT_EQ(arrivals.batch_frames.sum(), 25U);
  EXPECT_EQ(values_in(arrivals.batch_frames), 1U);
  EXPECT_EQ(values_in(arrivals.latency_us), 1U);
}

TEST_F(AggregatorFigures, CountFramesFlushedFromTheChannelAsArrived) {
  spawn(test::options(8, 2, WhenFull::backpressure));
  for (std::uint64_t i = 0; i < 4; ++i) {
    ASSERT_FALSE(aggregator_->try_send(batch_of_run({1, 1}, 2 * i, 2)).has_value());
  }
  EXPECT_EQ(call(aggregator_->flush()).value(), 8U);
  EXPECT_EQ(stats().arrivals.batch_frames.sum(), 8U);
  EXPECT_EQ(call(Maintenance(*aggregator_).take_peaks()).value().channel, 4U);
}

TEST_F(AggregatorFigures, LatencyIsFromTheReadToTheBuffer) {
  spawn({});
  send(batch_of_run({1, 1}, 0, 1, 0, received(std::chrono::minutes(2))));
  send(
      batch_of_run({1, 1}, 1, 1, 0, received(-std::chrono::minutes(2))));  // the clock was set back
  const auto& latency = stats().arrivals.latency_us;
  EXPECT_EQ(latency.counts().front(), 1U);
  EXPECT_EQ(latency.counts().back(), 1U);
  EXPECT_GE(latency.sum(), 120'000'000U);
  EXPECT_LT(latency.sum(), 240'000'000U);
}

TEST_F(AggregatorFigures, PeaksStartAgainOnceTheyAreTaken) {
  spawn({.channel_capacity = 8});
  for (std::uint64_t i = 0; i < 4; ++i) {
    ASSERT_FALSE(aggregator_->try_send(batch_of_run({1, 1}, i * 10, 10, 80)).has_value());
  }
  std::ignore = drain(35);
  const Peaks first = call(Maintenance(*aggregator_).take_peaks()).value();
  EXPECT_EQ(first.channel, 4U);
  EXPECT_EQ(first.buffer.frames, 40U);
  EXPECT_EQ(first.buffer.bytes, 4'000U);
  const Peaks second = call(Maintenance(*aggregator_).take_peaks()).value();
  EXPECT_EQ(second.channel, 0U);
  EXPECT_EQ(second.buffer.frames, 5U) << "what is there now";
  EXPECT_EQ(stats().buffer.high_water.frames, 40U) << "this one is for good";
}

TEST_F(AggregatorFigures, CountFramesAsLentUntilSettledOrReturned) {
  spawn({});
  send(batch_of_run({1, 1}, 0, 10));
  Lent first = lend(4);
  Lent second = lend(3);
  EXPECT_EQ(stats().buffer.lent.frames, 7U);
  EXPECT_EQ(call(std::move(first).settle()), error_code{});
  EXPECT_EQ(stats().buffer.lent.frames, 3U);
  EXPECT_EQ(call(std::move(second).put_back()), error_code{});
  EXPECT_EQ(stats().buffer.lent.frames, 0U);
  EXPECT_EQ(stats().ledger.drained, 4U);
}

TEST_F(AggregatorFigures, OriginsAreSummedUpInSteps) {
  constexpr std::uint32_t origins = 10'000;  // more than one step
  spawn({.max_tracked = origins - 1});
  for (std::uint32_t id = 0; id < origins; ++id) {
    send(batch_of_run({id, 0}, 0, 1));
  }
  EXPECT_EQ(call(aggregator_->sum_origins(0)).value().frames, origins);
  EXPECT_EQ(call(aggregator_->sum_origins(1'000)).value().frames, origins - 1'000);
  EXPECT_EQ(call(aggregator_->sum_origins(origins * 2)).value().frames, 1U) << "beyond max_tracked";
}

TEST_F(AggregatorFigures, SatellitesAreForgottenInSteps) {
  constexpr std::uint32_t channels = 10'000;  // more than two steps
  spawn({.max_tracked = 3 * channels});
  for (std::uint32_t channel = 0; channel < channels; ++channel) {
    send(batch_of_run({1, static_cast<ChannelId>(channel)}, 0, 1));
    send(batch_of_run({2, static_cast<ChannelId>(channel)}, 0, 1));
  }
  EXPECT_EQ(call(aggregator_->forget(1, ChannelId{5})).value(), 1U);
  EXPECT_EQ(call(aggregator_->forget(1, std::nullopt)).value(), channels - 1);
  EXPECT_EQ(call(aggregator_->forget(1, std::nullopt)).value(), 0U);
  EXPECT_EQ(stats().origins.origins, channels);
  EXPECT_EQ(stats().ledger.buffered, 2 * channels) << "frames stay";
  EXPECT_EQ(call(aggregator_->sum_origins(0)).value().frames, 2 * channels) << "no sum falls";
  const auto all = call(aggregator_->origins()).value();
  ASSERT_EQ(all.size(), channels);
  EXPECT_EQ(all.back().origin, (Origin{2, channels - 1}));
  const auto some = call(aggregator_->origins(5'000, 300)).value();
  ASSERT_EQ(some.size(), 300U);
  EXPECT_EQ(some.front().origin, (Origin{2, 5'000})) << "an index, not a place";
  EXPECT_EQ(call(aggregator_->origins(channels - 1, 300)).value().size(), 1U);
  EXPECT_EQ(call(aggregator_->origins(channels, 300)).value().size(), 0U);
}

TEST_F(AggregatorFigures, IdleSatellitesAreForgotten) {
  using std::chrono::seconds;
  spawn({});
  send(batch_of_run({1, 0}, 0, 1));
  send(batch_of_run({2, 0}, 0, 1));
  EXPECT_EQ(call(Maintenance(*aggregator_).forget_idle(seconds(1), seconds(60))).value(), 0U);
  send(batch_of_run({2, 0}, 1, 1));
  EXPECT_EQ(call(Maintenance(*aggregator_).forget_idle(seconds(60), seconds(60))).value(), 1U);
  const auto all = call(aggregator_->origins()).value();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].origin, (Origin{2, 0}));
}

}  // namespace
}  // namespace meridian::test
