// Many senders and requesters on several threads.
#include "unit/aggregator/aggregator_calls.hpp"
#include "unit/frame/frame_samples.hpp"

#include <meridian/aggregator.hpp>
#include <meridian/lent.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <future>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace aggregator;
namespace {

constexpr std::size_t threads = 4;
constexpr SatelliteId senders = 8;

/// Waits for all of them.
template <typename T>
std::vector<T> get_all(std::vector<std::future<T>>& futures) {
  std::vector<T> values;
  for (std::future<T>& each : futures) {
    values.push_back(each.get());
  }
  return values;
}

// Read your writes ------------------------------------------------------------------------------

/// Sends, and drains what it has sent, again and again. Returns how often it missed something.
asio::awaitable<int> send_then_drain(AggregatorHandle aggregator, SatelliteId satellite,
                                     int rounds) {
  int missed = 0;
  std::uint64_t next = 0;
  for (int round = 0; round < rounds; ++round) {
    const auto frames = static_cast<std::uint32_t>(1 + round % 7);
    const error_code ec = co_await aggregator.send(batch_of_run({satellite, 1}, next, frames));
    EXPECT_EQ(ec, error_code{});
    DrainQuery query;
    query.max_frames = all_frames;
    query.satellite_id = satellite;
    const auto drained = co_await aggregator.drain(query);
    missed += sequences_of(drained.value()) == numbers(next, frames) ? 0 : 1;
    next += frames;
  }
  co_return missed;
}

TEST(AggregatorUnderLoad, DrainSeesEveryFrameWhoseSendHadCompleted) {
  asio::thread_pool pool(threads);
  {
    const AggregatorHandle aggregator =
        spawn_aggregator(pool.get_executor(), options(4, 100'000, WhenFull::drop_oldest));
    std::vector<std::future<int>> missed;
    for (SatelliteId satellite = 0; satellite < senders; ++satellite) {
      missed.push_back(
          asio::co_spawn(pool, send_then_drain(aggregator, satellite, 1000), asio::use_future));
    }
    EXPECT_EQ(get_all(missed), std::vector<int>(senders, 0));
  }
  pool.join();
}

/// Nobody drains: after each send the depth covers at least what this sender has sent.
asio::awaitable<int> send_then_depth(AggregatorHandle aggregator, SatelliteId satellite,
                                     std::atomic<std::uint64_t>* completed, int rounds) {
  int missed = 0;
  for (int round = 0; round < rounds; ++round) {
    const auto first = static_cast<std::uint64_t>(round);
    const error_code ec = co_await aggregator.send(batch_of_run({satellite, 1}, first, 1));
    EXPECT_EQ(ec, error_code{});
    completed->fetch_add(1);
    const std::uint64_t at_least = completed->load();  // of all senders
    const auto depth = co_await aggregator.depth();
    missed += depth.value().frames >= at_least ? 0 : 1;
  }
  co_return missed;
}

TEST(AggregatorUnderLoad, ShowsDepthEveryFrameWhoseSendHadCompleted) {
  asio::thread_pool pool(threads);
  {
    const AggregatorHandle aggregator =
        spawn_aggregator(pool.get_executor(), options(4, 100'000, WhenFull::drop_oldest));
    std::atomic<std::uint64_t> completed{0};
    std::vector<std::future<int>> missed;
    for (SatelliteId satellite = 0; satellite < senders; ++satellite) {
      missed.push_back(asio::co_spawn(
          pool, send_then_depth(aggregator, satellite, &completed, 1000), asio::use_future));
    }
    EXPECT_EQ(get_all(missed), std::vector<int>(senders, 0));
    EXPECT_EQ(completed.load(), senders * 1000U);
  }
  pool.join();
}

// The ledger ------------------------------------------------------------------------------------

asio::awaitable<std::uint64_t> send_many(AggregatorHandle aggregator, SatelliteId satellite,
                                         int batches) {
  std::uint64_t next = 0;
  for (int i = 0; i < batches; ++i) {
    const auto frames = static_cast<std::uint32_t>(1 + i % 11);
    FrameBatch batch = batch_of_run({satellite, 1}, next, frames, next % 50);
    next += frames;
    const error_code ec = co_await aggregator.send(std::move(batch));
    EXPECT_EQ(ec, error_code{});
  }
  co_return next;
}

struct Watch {
  std::atomic<bool> stop{false};
  std::atomic<int> answers{0};
};

/// Asks again and again. Returns how many answers were wrong.
asio::awaitable<int> watch_ledger(AggregatorHandle aggregator, Watch* watch) {
  int wrong = 0;
  std::uint64_t received_before = 0;
  while (!watch->stop) {
    const auto stats = co_await aggregator.stats();
    const Ledger& ledger = stats.value().ledger;
    wrong += ledger.balanced() ? 0 : 1;
    wrong += ledger.buffered == stats->buffer.now.frames ? 0 : 1;
    wrong += ledger.received >= received_before ? 0 : 1;
    received_before = ledger.received;
    ++watch->answers;
  }
  co_return wrong;
}

struct Took {
  std::uint64_t drained = 0;
  std::uint64_t flushed = 0;
};

/// Drains by satellite and in all, puts back every third drain, and flushes now and then.
asio::awaitable<Took> take_some(AggregatorHandle aggregator, Watch* watch) {
  Took took;
  for (std::uint64_t round = 0; !watch->stop; ++round) {
    if (round % 50 == 49) {
      const auto flushed = co_await aggregator.flush();
      took.flushed += flushed.value();
      continue;
    }
    DrainQuery query;
    query.max_frames = 1 + round % 40;
    if (round % 2 == 0) {
      query.satellite_id = static_cast<SatelliteId>(round / 2 % senders);
    }
    if (round % 3 == 0) {
      auto lent = co_await aggregator.lend(query);
      const error_code ec = co_await std::move(*lent).put_back();
      EXPECT_EQ(ec, error_code{});
    } else {
      const auto drained = co_await aggregator.drain(query);
      took.drained += drained->taken.frames;
    }
  }
  co_return took;
}

class LedgerUnderLoad : public testing::TestWithParam<WhenFull> {};

TEST_P(LedgerUnderLoad, BalancesInEveryAnswerAndAtTheEnd) {
  asio::thread_pool pool(threads);
  {
    const AggregatorHandle aggregator =
        spawn_aggregator(pool.get_executor(), options(4, 200, GetParam()));
    Watch watch;
    auto wrong = asio::co_spawn(pool, watch_ledger(aggregator, &watch), asio::use_future);
    std::vector<std::future<Took>> takers;
    for (int i = 0; i < 3; ++i) {
      takers.push_back(asio::co_spawn(pool, take_some(aggregator, &watch), asio::use_future));
    }
    std::vector<std::future<std::uint64_t>> sending;
    for (SatelliteId satellite = 0; satellite < senders; ++satellite) {
      sending.push_back(
          asio::co_spawn(pool, send_many(aggregator, satellite, 1500), asio::use_future));
    }
    const std::vector<std::uint64_t> sent = get_all(sending);
    watch.stop = true;
    Took took;
    for (const Took& each : get_all(takers)) {
      took.drained += each.drained;
      took.flushed += each.flushed;
    }
    EXPECT_EQ(wrong.get(), 0);
    EXPECT_GT(watch.answers, 0);

    // Everything out, also what the channel still held.
    for (std::uint64_t last = 1; last > 0; took.drained += last) {
      auto drained =
          asio::co_spawn(pool, aggregator.drain({.max_frames = all_frames}), asio::use_future);
      last = drained.get().value().taken.frames;
    }
    const Ledger ledger =
        asio::co_spawn(pool, aggregator.stats(), asio::use_future).get().value().ledger;
    EXPECT_EQ(ledger.received, std::accumulate(sent.begin(), sent.end(), std::uint64_t{0}));
    EXPECT_EQ(ledger.buffered, 0U);
    EXPECT_EQ(ledger.drained, took.drained);
    EXPECT_EQ(ledger.flushed, took.flushed);
    EXPECT_TRUE(ledger.balanced());
    if (GetParam() == WhenFull::backpressure) {
      EXPECT_EQ(ledger.drained + ledger.flushed, ledger.received) << "nothing is dropped";
    }
    // Sequences are tracked on arrival, whatever becomes of the frames.
    for (const OriginStats& origin :
         asio::co_spawn(pool, aggregator.origins(), asio::use_future).get().value()) {
      EXPECT_EQ(origin.frames, sent.at(origin.origin.value().satellite_id));
      EXPECT_EQ(origin.missing + origin.late + origin.duplicates, 0U);
    }
  }
  pool.join();
}

INSTANTIATE_TEST_SUITE_P(Each, LedgerUnderLoad,
                         testing::Values(WhenFull::drop_oldest, WhenFull::drop_newest,
                                         WhenFull::backpressure));

}  // namespace
}  // namespace meridian::test
