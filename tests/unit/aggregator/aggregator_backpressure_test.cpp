// A full buffer that holds frames back in the channel. Control never waits behind them.
#include "aggregator/maintenance.hpp"
#include "unit/aggregator/aggregator_calls.hpp"
#include "unit/frame/frame_samples.hpp"

#include <meridian/aggregator.hpp>
#include <meridian/lent.hpp>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace aggregator;
namespace {

constexpr std::uint64_t buffer_frames = 25;
constexpr std::size_t capacity = 3;
constexpr std::uint32_t batch_frames = 10;
constexpr std::size_t held_senders = 10;

/// Ten batches of ten frames are sent to a buffer of 25: it holds two and a half, a half is held in
/// the actor, three are in the channel and four senders wait.
class Backpressure : public testing::Test {
 protected:
  void SetUp() override {
    for (std::size_t i = 0; i < held_senders; ++i) {
      sends_.push_back(test::start(
          context_, aggregator_.send(batch_of_run({1, 1}, i * batch_frames, batch_frames))));
    }
  }

  template <typename T>
  T call(asio::awaitable<T> awaitable) {
    return test::call_now(context_, std::move(awaitable));
  }
  Lent lend(std::uint64_t max_frames) {
    return call(aggregator_.lend({.max_frames = max_frames})).value();
  }
  Drained drain(std::uint64_t max_frames) {
    return call(aggregator_.drain({.max_frames = max_frames})).value();
  }
  std::uint64_t depth() { return call(aggregator_.depth()).value().frames; }
  AggregatorStats stats() { return call(aggregator_.stats()).value(); }

  [[nodiscard]] std::size_t completed_sends() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(sends_, [](const auto& send) { return is_ready(send); }));
  }

  asio::io_context context_;
  AggregatorHandle aggregator_ = spawn_aggregator(
      context_.get_executor(), options(capacity, buffer_frames, WhenFull::backpressure));
  std::vector<std::future<error_code>> sends_;
};

TEST_F(Backpressure, HoldsSendersBack) {
  EXPECT_EQ(completed_sends(), 6U) << "two and a half in the buffer, a half held, three waiting";
  const AggregatorStats now = stats();
  EXPECT_EQ(now.channel.length, capacity);
  EXPECT_EQ(now.ledger.received, buffer_frames);
  EXPECT_EQ(now.ledger.buffered, buffer_frames);
  EXPECT_TRUE(aggregator_.try_send(batch_of_run({1, 1}, 0, 1)).has_value());
}

TEST_F(Backpressure, AnswersDepth) {
  EXPECT_EQ(depth(), buffer_frames);
}

TEST_F(Backpressure, AnswersEveryOtherRequest) {
  EXPECT_TRUE(call(aggregator_.origins()).has_value());
  EXPECT_TRUE(call(Maintenance(aggregator_).take_drop_report()).has_value());
  EXPECT_EQ(call(aggregator_.give_up(batch_of_run({2, 1}, 0, 1))), error_code{});
  EXPECT_TRUE(stats().ledger.balanced());
}

TEST_F(Backpressure, AdmitsAsMuchAsADrainTakes) {
  const Drained drained = drain(7);
  EXPECT_EQ(sequences_of(drained), numbers(0, 7));
  EXPECT_EQ(depth(), buffer_frames);
  const AggregatorStats now = stats();
  EXPECT_EQ(now.ledger.received, buffer_frames + 7);
  EXPECT_EQ(now.ledger.drained, 7U);
  EXPECT_EQ(completed_sends(), 7U) << "the held half went in, and one sender got a place";
}

TEST_F(Backpressure, LetsNothingInForWhatIsLent) {
  Lent lent = lend(buffer_frames + 1);  // one passes the buffer's end
  EXPECT_EQ(completed_sends(), 6U);
  EXPECT_EQ(call(std::move(lent).put_back()), error_code{});
  EXPECT_EQ(completed_sends(), 6U);
  EXPECT_EQ(depth(), buffer_frames + 1);
  EXPECT_EQ(sequences_of(drain(2)), numbers(0, 2));
  EXPECT_EQ(depth(), buffer_frames);
}

TEST_F(Backpressure, DrainsFrameByFrameInOrder) {
  for (std::uint64_t i = 0; i < 75; ++i) {
    ASSERT_EQ(sequences_of(drain(1)), numbers(i, 1));
    ASSERT_EQ(depth(), buffer_frames);
  }
  EXPECT_EQ(completed_sends(), held_senders);
  EXPECT_EQ(sequences_of(drain(all_frames)), numbers(75, 25));
  EXPECT_EQ(depth(), 0U);
}

TEST_F(Backpressure, DrainsAlsoWhatWaitsInTheChannel) {
  // Six sends had completed: 60 frames, more than twice what the buffer holds.
  const Drained drained = drain(all_frames);
  const std::vector<std::uint64_t> sequences = sequences_of(drained);
  ASSERT_GE(sequences.size(), 60U);
  EXPECT_EQ(sequences, numbers(0, sequences.size()));
  EXPECT_TRUE(stats().ledger.balanced());
  const std::vector<std::uint64_t> rest = sequences_of(drain(all_frames));
  EXPECT_EQ(rest, numbers(sequences.size(), 100 - sequences.size()));
  EXPECT_EQ(completed_sends(), held_senders);
}

TEST_F(Backpressure, DrainsExactlyTheRequestedNumberBeyondTheBuffer) {
  EXPECT_EQ(sequences_of(drain(42)), numbers(0, 42));
  EXPECT_EQ(sequences_of(drain(all_frames)).front(), 42U);
}

TEST_F(Backpressure, DrainOfAnAbsentSatelliteDoesNotWait) {
  const Drained none =
      call(aggregator_.drain({.max_frames = all_frames, .satellite_id = 99})).value();
  EXPECT_TRUE(none.batches.empty());
  EXPECT_EQ(none.remaining, buffer_frames);
}

TEST_F(Backpressure, FlushesAlsoWhatWaitsInTheChannel) {
  const std::uint64_t flushed = call(aggregator_.flush()).value();
  EXPECT_GE(flushed, 60U);
  const AggregatorStats now = stats();
  EXPECT_EQ(now.ledger.flushed, flushed);
  EXPECT_EQ(now.ledger.received, now.ledger.flushed + now.ledger.buffered);
  EXPECT_EQ(completed_sends(), held_senders);
  const std::vector<std::uint64_t> rest = sequences_of(drain(all_frames));
  EXPECT_EQ(rest, numbers(flushed, 100 - flushed));
}

TEST_F(Backpressure, PuttingBackIntoAFullBufferLosesNothing) {
  Lent lent = lend(45);
  EXPECT_EQ(depth(), 0U) << "keeps all the room";
  EXPECT_EQ(call(std::move(lent).put_back()), error_code{});
  EXPECT_EQ(depth(), buffer_frames + 20) << "above its bounds, until the next drain";
  std::vector<std::uint64_t> sequences;
  for (int i = 0; i < 10; ++i) {
    std::ranges::copy(sequences_of(drain(10)), std::back_inserter(sequences));
    EXPECT_TRUE(stats().ledger.balanced());
  }
  EXPECT_EQ(sequences, numbers(0, 100));
}

TEST_F(Backpressure, KeepsTheRoomOfWhatIsLent) {
  Lent lent = lend(15);
  EXPECT_LE(depth(), buffer_frames);
  const std::uint64_t while_lent = depth();
  EXPECT_EQ(call(std::move(lent).put_back()), error_code{});
  EXPECT_EQ(depth(), while_lent + 15);
  EXPECT_EQ(call(lend(15).settle()), error_code{});
  EXPECT_EQ(depth(), buffer_frames) << "room that was settled is not used";
  EXPECT_EQ(sequences_of(drain(1)), numbers(15, 1));
}

TEST_F(Backpressure, GrowsNoFurtherHoweverManyDrainsComeBack) {
  Lent lent = lend(all_frames);
  EXPECT_GE(lent.frames().taken.frames, 60U) << "sees also what waits in the channel";
  EXPECT_EQ(call(std::move(lent).put_back()), error_code{});
  const std::uint64_t after_one = depth();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(call(lend(all_frames).put_back()), error_code{});
  }
  EXPECT_EQ(depth(), after_one);
  std::vector<std::uint64_t> sequences;
  while (sequences.size() < 100) {
    const Drained part = drain(10);
    ASSERT_FALSE(part.batches.empty());
    std::ranges::copy(sequences_of(part), std::back_inserter(sequences));
  }
  EXPECT_EQ(sequences, numbers(0, 100));
}

TEST_F(Backpressure, FlushesTheChannelEvenWhileFramesAreLent) {
  Lent lent = lend(buffer_frames);
  const std::uint64_t flushed = call(aggregator_.flush()).value();
  EXPECT_GE(flushed + lent.frames().taken.frames, 60U);
  EXPECT_EQ(call(std::move(lent).settle()), error_code{});
  EXPECT_TRUE(stats().ledger.balanced());
}

TEST_F(Backpressure, LetsEverythingInOnceReleased) {
  EXPECT_EQ(call(Maintenance(aggregator_).release_backpressure()), error_code{});
  test::poll(context_);
  EXPECT_EQ(completed_sends(), held_senders);
  EXPECT_EQ(depth(), 100U);
  EXPECT_EQ(stats().channel.length, 0U);
  EXPECT_EQ(call(aggregator_.send(batch_of_run({1, 1}, 100, 10))), error_code{});
  EXPECT_EQ(sequences_of(drain(all_frames)), numbers(0, 110));
}

TEST_F(Backpressure, DropsNothing) {
  while (drain(9).taken.frames > 0) {
  }
  const Ledger ledger = stats().ledger;
  EXPECT_EQ(ledger.received, 100U);
  EXPECT_EQ(ledger.drained, 100U);
  EXPECT_EQ(call(aggregator_.origins()).value().at(0).missing, 0U);
}

}  // namespace
}  // namespace meridian::test
