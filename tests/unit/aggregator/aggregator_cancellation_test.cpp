// A drain whose requester goes away loses nothing.
#include "unit/aggregator/aggregator_calls.hpp"
#include "unit/frame/frame_samples.hpp"

#include <meridian/aggregator.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <cstdint>
#include <future>
#include <optional>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace aggregator;
namespace {

/// A drain, cancelled or not, and what it gave.
asio::awaitable<std::uint64_t> drain_reporting(AggregatorHandle aggregator,
                                               std::uint64_t max_frames) {
  try {
    const auto drained = co_await aggregator.drain({.max_frames = max_frames});
    co_return drained ? drained->taken.frames : 0;
  } catch (const boost::system::system_error&) {
    co_return 0;
  }
}

class CancelledDrain : public testing::Test {
 protected:
  /// Starts a drain on `context`, but does not run it.
  std::future<std::uint64_t> start_drain(asio::io_context& context) {
    return asio::co_spawn(context, drain_reporting(aggregator_, all_frames),
                          asio::bind_cancellation_slot(cancel_.slot(), asio::use_future));
  }
  void emit() { cancel_.emit(asio::cancellation_type::terminal); }

  /// What the drain reported is drained, and the rest of `frames` is still there, in order.
  void expect_nothing_lost(std::future<std::uint64_t> drain, std::uint64_t frames) {
    ASSERT_TRUE(is_ready(drain));
    const std::uint64_t taken = drain.get();
    const auto stats = call_now(context_, aggregator_.stats()).value();
    EXPECT_EQ(stats.ledger.drained, taken);
    EXPECT_EQ(stats.ledger.buffered, frames - taken);
    const auto rest = call_now(context_, aggregator_.drain({.max_frames = all_frames})).value();
    EXPECT_EQ(sequences_of(rest), numbers(taken, frames - taken));
  }

  asio::io_context context_;
  asio::io_context requesters_;
  asio::cancellation_signal cancel_;
  AggregatorHandle aggregator_ =
      spawn_aggregator(context_.get_executor(), options(10'000, 1'000'000, WhenFull::drop_oldest));
};

TEST_F(CancelledDrain, LosesNothingBeforeTheRequestIsServed) {
  ASSERT_FALSE(aggregator_.try_send(batch_of_run({1, 1}, 0, 100)).has_value());
  auto drained = start_drain(requesters_);
  poll(requesters_);  // the request is sent, and waits
  emit();
  poll(requesters_);
  poll(context_);
  expect_nothing_lost(std::move(drained), 100);
}

TEST_F(CancelledDrain, LosesNothingBetweenItsReplyAndItsEnd) {
  ASSERT_FALSE(aggregator_.try_send(batch_of_run({1, 1}, 0, 100)).has_value());
  auto drained = start_drain(requesters_);
  poll(requesters_);
  asio::post(requesters_, [this] { emit(); });  // comes before the reply, which is sent already
  poll(context_);
  poll(requesters_);
  poll(context_);
  expect_nothing_lost(std::move(drained), 100);
}

TEST_F(CancelledDrain, LosesNothingWhereTheRequestHadToWait) {
  ASSERT_FALSE(aggregator_.try_send(batch_of_run({1, 1}, 0, 100)).has_value());
  // More requests than the control lane holds, so that the drain's own waits to be sent.
  std::vector<std::future<AggregatorHandle::Result<Amount>>> depths;
  for (int i = 0; i < 100; ++i) {
    depths.push_back(asio::co_spawn(requesters_, aggregator_.depth(), asio::use_future));
  }
  auto drained = start_drain(requesters_);
  poll(requesters_);
  asio::post(requesters_, [this] { emit(); });
  poll(context_);     // sends the request after all, and serves it
  poll(requesters_);  // cancels the drain, which learns only now that its request was sent
  for (int i = 0; i < 10; ++i) {
    poll(context_);
    poll(requesters_);
  }
  expect_nothing_lost(std::move(drained), 100);
}

TEST_F(CancelledDrain, PutsBackTheStepsItHadTaken) {
  for (std::uint64_t i = 0; i < 5000; ++i) {  // three steps' work
    ASSERT_FALSE(aggregator_.try_send(batch_of_run({1, 1}, i, 1)).has_value());
  }
  auto drained = start_drain(requesters_);
  poll(requesters_);
  poll(context_);     // serves the first step
  poll(requesters_);  // asks for the second
  EXPECT_LT(call_now(context_, aggregator_.depth()).value().frames, 5000U);
  emit();
  for (int i = 0; i < 10; ++i) {
    poll(requesters_);
    poll(context_);
  }
  expect_nothing_lost(std::move(drained), 5000);
}

asio::awaitable<void> emit_on_strand(asio::cancellation_signal* cancel) {
  cancel->emit(asio::cancellation_type::terminal);
  co_return;
}

TEST(CancelledDrains, LoseNothingOnManyThreads) {
  asio::thread_pool pool(4);
  {
    const AggregatorHandle aggregator =
        spawn_aggregator(pool.get_executor(), options(16, 100'000, WhenFull::drop_oldest));
    const auto stats = [&] {
      return asio::co_spawn(pool, aggregator.stats(), asio::use_future).get().value();
    };
    std::uint64_t sent = 0;
    std::uint64_t drained = 0;
    for (int round = 0; round < 2000; ++round) {
      const auto refused = aggregator.try_send(batch_of_run({1, 1}, sent, 10));
      sent += refused ? 0 : 10;
      auto strand = asio::make_strand(pool);
      asio::cancellation_signal cancel;
      auto done = asio::co_spawn(strand, drain_reporting(aggregator, 5),
                                 asio::bind_cancellation_slot(cancel.slot(), asio::use_future));
      auto emitted = asio::co_spawn(strand, emit_on_strand(&cancel), asio::use_future);
      emitted.get();
      drained += done.get();
    }
    // What was taken goes back in its own time.
    Ledger ledger = stats().ledger;
    while (ledger.drained != drained) {
      ASSERT_GT(ledger.drained, drained);
      ledger = stats().ledger;
    }
    EXPECT_EQ(ledger.received, sent);
    EXPECT_EQ(ledger.buffered, sent - drained);
    const auto rest =
        asio::co_spawn(pool, aggregator.drain({.max_frames = all_frames}), asio::use_future)
            .get()
            .value();
    EXPECT_EQ(sequences_of(rest), numbers(drained, sent - drained));
  }
  pool.join();
}

}  // namespace
}  // namespace meridian::test
