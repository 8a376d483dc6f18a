// Many senders that are refused or held back, on several threads.
#include "unit/aggregator/aggregator_calls.hpp"
#include "unit/frame/frame_samples.hpp"

#include <meridian/aggregator.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <tuple>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace aggregator;
namespace {

constexpr std::size_t overload_threads = 4;
constexpr SatelliteId overload_senders = 8;

// Sessions that drop ----------------------------------------------------------------------------

struct Outcome {
  std::uint64_t sent = 0;
  std::uint64_t given_up = 0;
};

asio::awaitable<Outcome> send_or_give_up(AggregatorHandle aggregator, SatelliteId satellite,
                                         int batches) {
  Outcome outcome;
  std::uint64_t next = 0;
  for (int i = 1; i <= batches; ++i) {
    const ReadStamp stamp{.session = satellite, .read = static_cast<std::uint64_t>(i)};
    auto refused = aggregator.try_send(batch_of_run({satellite, 1}, next, 3, 0, stamp));
    next += 3;
    if (!refused) {
      outcome.sent += 3;
      continue;
    }
    EXPECT_EQ(refused->reason, Errc::channel_full);
    const error_code ec = co_await aggregator.give_up(std::move(refused->value));
    EXPECT_EQ(ec, error_code{});
    outcome.given_up += 3;
  }
  co_return outcome;
}

/// Flushes again and again while senders are refused.
asio::awaitable<void> keep_flushing(AggregatorHandle aggregator, std::atomic<bool>& enough) {
  while (!enough) {
    const auto flushed = co_await aggregator.flush();
    EXPECT_TRUE(flushed.has_value());
  }
}

class SessionsThatGiveUp : public testing::TestWithParam<WhenFull> {};

TEST_P(SessionsThatGiveUp, AreCountedWithoutGapsWhateverIsFlushedMeanwhile) {
  asio::thread_pool pool(overload_threads);
  {
    const AggregatorHandle aggregator =
        spawn_aggregator(pool.get_executor(), options(2, 10, GetParam()));
    std::atomic<bool> enough = false;
    auto flushing = asio::co_spawn(pool, keep_flushing(aggregator, enough), asio::use_future);
    std::vector<std::future<Outcome>> sending;
    for (SatelliteId satellite = 0; satellite < overload_senders; ++satellite) {
      sending.push_back(
          asio::co_spawn(pool, send_or_give_up(aggregator, satellite, 2000), asio::use_future));
    }
    std::vector<Outcome> outcomes;
    for (auto& each : sending) {
      outcomes.push_back(each.get());
    }
    enough = true;
    flushing.get();
    std::ignore = asio::co_spawn(pool, aggregator.flush(), asio::use_future).get();
    std::uint64_t given_up = 0;
    const auto origins = asio::co_spawn(pool, aggregator.origins(), asio::use_future).get().value();
    ASSERT_EQ(origins.size(), overload_senders);
    for (const OriginStats& origin : origins) {
      const Outcome& outcome = outcomes.at(origin.origin.value().satellite_id);
      EXPECT_EQ(origin.frames, outcome.sent + outcome.given_up);
      EXPECT_GE(origin.dropped, outcome.given_up);
      EXPECT_EQ(origin.gaps + origin.missing + origin.late + origin.duplicates, 0U);
      EXPECT_EQ(origin.last_sequence, 5999U);
      given_up += outcome.given_up;
    }
    const Ledger ledger =
        asio::co_spawn(pool, aggregator.stats(), asio::use_future).get().value().ledger;
    EXPECT_EQ(ledger.received, overload_senders * 6000U);
    EXPECT_EQ(ledger.dropped_for(DropReason::channel_full), given_up);
    EXPECT_TRUE(ledger.balanced());
  }
  pool.join();
}

INSTANTIATE_TEST_SUITE_P(Each, SessionsThatGiveUp,
                         testing::Values(WhenFull::drop_oldest, WhenFull::backpressure));

asio::awaitable<void> send_until(AggregatorHandle aggregator, SatelliteId satellite,
                                 std::atomic<bool>& enough) {
  for (std::uint64_t first = 0; !enough; first += 100) {
    const error_code ec = co_await aggregator.send(batch_of_run({satellite, 1}, first, 100));
    EXPECT_EQ(ec, error_code{});
  }
}

/// Small against a batch, so that some batch is always held.
TEST(AggregatorUnderLoad, FlushAndDrainEndAlthoughSendersGoOn) {
  asio::thread_pool pool(overload_threads);
  {
    const AggregatorHandle aggregator =
        spawn_aggregator(pool.get_executor(), options(4, 10, WhenFull::backpressure));
    std::atomic<bool> enough = false;
    std::vector<std::future<void>> sending;
    for (SatelliteId satellite = 0; satellite < overload_senders; ++satellite) {
      sending.push_back(
          asio::co_spawn(pool, send_until(aggregator, satellite, enough), asio::use_future));
    }
    for (int i = 0; i < 20; ++i) {
      const auto flushed = asio::co_spawn(pool, aggregator.flush(), asio::use_future).get().value();
      EXPECT_LE(flushed, 10U + 5 * 100) << "took what came later";
      const auto drained =
          asio::co_spawn(pool, aggregator.drain({.max_frames = 1'000'000'000}), asio::use_future)
              .get()
              .value();
      EXPECT_LT(drained.taken.frames, 100'000U) << "took what came later";
    }
    enough = true;
    for (auto& each : sending) {
      while (each.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) {
        std::ignore = asio::co_spawn(pool, aggregator.flush(), asio::use_future).get();
      }
    }
    const auto stats = asio::co_spawn(pool, aggregator.stats(), asio::use_future).get().value();
    EXPECT_TRUE(stats.ledger.balanced());
  }
  pool.join();
}

// Control never waits behind data ---------------------------------------------------------------

asio::awaitable<void> send_runs(AggregatorHandle aggregator, SatelliteId satellite, int batches) {
  for (int i = 0; i < batches; ++i) {
    const auto first = static_cast<std::uint64_t>(i) * 10;
    const error_code ec = co_await aggregator.send(batch_of_run({satellite, 1}, first, 10));
    EXPECT_EQ(ec, error_code{});
  }
}

TEST(AggregatorUnderLoad, AnswersAndDrainsWhileAllSendersWait) {
  constexpr int batches = 500;
  asio::thread_pool pool(overload_threads);
  {
    const AggregatorHandle aggregator =
        spawn_aggregator(pool.get_executor(), options(4, 100, WhenFull::backpressure));
    std::vector<std::future<void>> sending;
    for (SatelliteId satellite = 0; satellite < overload_senders; ++satellite) {
      sending.push_back(
          asio::co_spawn(pool, send_runs(aggregator, satellite, batches), asio::use_future));
    }
    // One buffer's worth at a time: without the two lanes the first of these would wait for ever.
    std::uint64_t drained = 0;
    while (drained < overload_senders * batches * 10U) {
      const auto depth = asio::co_spawn(pool, aggregator.depth(), asio::use_future).get().value();
      ASSERT_LE(depth.frames, 100U);
      const auto part =
          asio::co_spawn(pool, aggregator.drain({.max_frames = 100}), asio::use_future).get();
      drained += part.value().taken.frames;
      const auto stats = asio::co_spawn(pool, aggregator.stats(), asio::use_future).get().value();
      ASSERT_TRUE(stats.ledger.balanced());
    }
    for (auto& each : sending) {
      each.get();
    }
  }
  pool.join();
}

}  // namespace
}  // namespace meridian::test
