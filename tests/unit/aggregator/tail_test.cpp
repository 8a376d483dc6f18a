// Watching frames as they come.
#include "unit/aggregator/aggregator_calls.hpp"
#include "unit/aggregator/aggregator_fixture.hpp"
#include "unit/frame/frame_samples.hpp"

#include <meridian/tail.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <future>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace aggregator;
namespace {

class TailTest : public AggregatorTest {
 protected:
  Tail watch(TailQuery query = {}) {
    std::optional<Tail> tail;
    call(begin(*aggregator_, query, tail));
    return *std::move(tail);
  }

  /// Asio cannot return from a coroutine that it starts what has no default.
  static asio::awaitable<void> begin(AggregatorHandle aggregator, TailQuery query,
                                     std::optional<Tail>& out) {
    auto tail = co_await aggregator.tail(query);
    out.emplace(*std::move(tail));
  }

  /// Asks, and is cancelled while it waits.
  void cancel_next(Tail& tail) {
    asio::cancellation_signal cancel;
    auto next = asio::co_spawn(context_, tail.next(),
                               asio::bind_cancellation_slot(cancel.slot(), asio::use_future));
    test::poll(context_);
    cancel.emit(asio::cancellation_type::terminal);
    test::poll(context_);
    ASSERT_TRUE(is_ready(next));
    EXPECT_EQ(next.get().error(), asio::error::operation_aborted);
  }

  /// The frames of a piece that the query asks for.
  static std::vector<std::uint64_t> sequences_of(const TailPiece& piece, TailQuery query = {}) {
    std::vector<std::uint64_t> sequences;
    for (const FrameBatch& batch : piece.batches) {
      for (const FrameView frame : batch) {
        if (query.matches(frame.header.origin)) {
          sequences.push_back(frame.header.sequence);
        }
      }
    }
    return sequences;
  }
};

TEST_F(TailTest, SeesWhatComesAfterItWasMade) {
  spawn({});
  send(batch_of_run({1, 1}, 0, 3));
  Tail tail = watch();
  send(batch_of_run({1, 1}, 3, 2));
  send(batch_of_run({2, 5}, 5, 1));
  const TailPiece piece = call(tail.next()).value();
  EXPECT_EQ(sequences_of(piece), numbers(3, 3));
  EXPECT_EQ(piece.lost, 0U);
  EXPECT_EQ(stats().buffer.now.frames, 6U) << "frames stay in the buffer";
}

TEST_F(TailTest, WaitsUntilSomethingComes) {
  spawn({});
  Tail tail = watch();
  auto next = start(context_, tail.next());
  EXPECT_FALSE(is_ready(next));
  send(batch_of_run({1, 1}, 7, 1));
  EXPECT_EQ(sequences_of(next.get().value()), numbers(7, 1));
}

TEST_F(TailTest, SeesOnlyWhatItAsksFor) {
  spawn({});
  const TailQuery of_satellite{.satellite_id = 1};
  const TailQuery of_channel{.channel_id = 9};
  const TailQuery of_both{.satellite_id = 1, .channel_id = 9};
  Tail satellite = watch(of_satellite);
  Tail channel = watch(of_channel);
  Tail both = watch(of_both);
  send(batch_of_run({1, 1}, 10, 1));
  send(batch_of_run({1, 9}, 20, 1));
  send(batch_of_run({2, 9}, 30, 1));
  send(batch_of_run({2, 1}, 40, 1));
  const auto seen = [&](Tail& tail, TailQuery query) {
    return sequences_of(call(tail.next()).value(), query);
  };
  EXPECT_EQ(seen(satellite, of_satellite), (std::vector<std::uint64_t>{10, 20}));
  EXPECT_EQ(seen(channel, of_channel), (std::vector<std::uint64_t>{20, 30}));
  EXPECT_EQ(seen(both, of_both), (std::vector<std::uint64_t>{20}));
}

TEST_F(TailTest, SatelliteTailIsServedBesideAFullOne) {
  spawn({});
  Tail all = watch();
  Tail satellite = watch({.satellite_id = 1});
  send(batch_of_run({2, 1}, 10, 1));
  send(batch_of_run({1, 1}, 20, 1));
  EXPECT_EQ(sequences_of(call(all.next()).value()), (std::vector<std::uint64_t>{10, 20}));
  EXPECT_EQ(sequences_of(call(satellite.next()).value()), numbers(20, 1));
}

TEST_F(TailTest, AsksForNothingElsesBatches) {
  spawn({});
  Tail tail = watch({.satellite_id = 3});
  send(batch_of_run({1, 1}, 0, 5));
  EXPECT_FALSE(is_ready(start(context_, tail.next())));
}

TEST_F(TailTest, SlowTailLearnsHowMuchItLost) {
  spawn({});
  Tail slow = watch({.max_bytes = 1});
  Tail other = watch();
  send(batch_of_run({1, 1}, 0, 4));
  send(batch_of_run({1, 1}, 4, 5));
  send(batch_of_run({1, 1}, 9, 6));
  EXPECT_EQ(stats().tails.lost, 11U) << "known before it asks";
  const TailPiece piece = call(slow.next()).value();
  EXPECT_EQ(sequences_of(piece), numbers(0, 4));
  EXPECT_EQ(piece.lost, 11U);

  send(batch_of_run({1, 1}, 15, 2));
  const TailPiece next = call(slow.next()).value();
  EXPECT_EQ(sequences_of(next), numbers(15, 2));
  EXPECT_EQ(next.lost, 0U);
  EXPECT_EQ(sequences_of(call(other.next()).value()), numbers(0, 17)) << "others lose nothing";
  EXPECT_EQ(stats().tails.lost, 11U);
}

TEST_F(TailTest, LosesOnlyWhatItAskedFor) {
  spawn({});
  Tail slow = watch({.satellite_id = 1, .max_bytes = 1});
  send(batch_of_run({1, 1}, 0, 1));
  send(batch_of_run({1, 2}, 0, 3));
  send(batch_of_run({2, 1}, 0, 100));
  EXPECT_EQ(call(slow.next()).value().lost, 3U);
}

TEST_F(TailTest, SeesFramesThatTheBufferDrops) {
  spawn(test::options(8, 2, WhenFull::drop_newest));
  Tail tail = watch();
  send(batch_of_run({1, 1}, 0, 5));
  EXPECT_EQ(sequences_of(call(tail.next()).value()), numbers(0, 5));
}

TEST_F(TailTest, ExceedsItsBoundByAtMostOneBatch) {
  spawn({});
  const std::size_t footprint = batch_of_run({1, 1}, 0, 10).footprint();
  Tail tail = watch({.max_bytes = 4 * footprint});
  for (std::uint64_t i = 0; i < 100; ++i) {
    send(batch_of_run({1, 1}, 10 * i, 10));
  }
  const TailPiece piece = call(tail.next()).value();
  EXPECT_LE(piece.batches.size(), 5U);
  EXPECT_EQ(10 * piece.batches.size() + piece.lost, 1000U);
}

TEST_F(TailTest, EndsWhenItIsDestroyed) {
  spawn({});
  {
    const Tail tail = watch({.max_bytes = 1});
    EXPECT_EQ(stats().tails.watchers, 1U);
    send(batch_of_run({1, 1}, 0, 1));
    send(batch_of_run({1, 1}, 1, 2));
  }
  test::poll(context_);
  EXPECT_EQ(stats().tails.watchers, 0U);
  EXPECT_EQ(stats().tails.lost, 2U) << "what it lost stays counted";
  send(batch_of_run({1, 1}, 3, 4));
  EXPECT_EQ(stats().tails.lost, 2U);
}

TEST_F(TailTest, EndReleasesWhoeverWaits) {
  spawn({});
  Tail tail = watch();
  auto next = start(context_, tail.next());
  tail.end();
  test::poll(context_);
  ASSERT_TRUE(is_ready(next));
  EXPECT_EQ(next.get().error(), Errc::reply_dropped);
  EXPECT_EQ(call(tail.next()).error(), Errc::reply_dropped);
}

TEST_F(TailTest, GoesOnAfterACallThatWasCancelled) {
  spawn({});
  Tail tail = watch();
  cancel_next(tail);

  auto next = start(context_, tail.next());
  EXPECT_FALSE(is_ready(next));
  send(batch_of_run({1, 1}, 0, 3));
  ASSERT_TRUE(is_ready(next));
  EXPECT_EQ(sequences_of(next.get().value()), numbers(0, 3));
}

TEST_F(TailTest, KeepsFramesThatArriveDuringACancellation) {
  spawn({});
  Tail tail = watch({.max_bytes = 1});
  cancel_next(tail);
  send(batch_of_run({1, 1}, 0, 3));
  send(batch_of_run({1, 1}, 3, 2));
  const TailPiece piece = call(tail.next()).value();
  EXPECT_EQ(sequences_of(piece), numbers(0, 3));
  EXPECT_EQ(piece.lost, 2U);
  EXPECT_EQ(stats().tails.lost, 2U);
}

TEST_F(TailTest, SeesWhatIsFlushedOutOfTheChannel) {
  spawn(test::options(8, 2, WhenFull::backpressure));
  send(batch_of_run({1, 1}, 0, 2));
  Tail tail = watch();
  send(batch_of_run({1, 1}, 2, 2));  // for which there is no room
  EXPECT_EQ(call(aggregator_->flush()).value(), 4U);
  EXPECT_EQ(sequences_of(call(tail.next()).value()), numbers(2, 2));
}

TEST_F(TailTest, EndsWithTheAggregator) {
  spawn({});
  Tail tail = watch();
  auto next = start(context_, tail.next());
  std::ignore = call(aggregator_->shut_down());
  test::poll(context_);
  ASSERT_TRUE(is_ready(next));
  EXPECT_EQ(next.get().error(), Errc::reply_dropped);
  EXPECT_EQ(call(tail.next()).error(), Errc::aggregator_shut_down);
}

}  // namespace
}  // namespace meridian::test
