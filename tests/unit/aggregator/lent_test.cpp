// Frames that are lent are settled or put back, once; and what cannot be is refused.
#include "aggregator/accounts.hpp"
#include "integration/harness/deadlines.hpp"
#include "unit/aggregator/consumer_fixture.hpp"
#include "unit/aggregator/noting_buffer.hpp"

#include <meridian/lent.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace aggregator;
namespace {

using testing::ElementsAre;

using KeptRoom = FrameBuffer::KeptRoom;

static_assert(!std::is_copy_constructible_v<Lent> && !std::is_copy_assignable_v<Lent>);
static_assert(std::is_nothrow_move_constructible_v<Lent>);

class LentFrames : public test::ConsumerTest {
 protected:
  void SetUp() override {
    spawn(options(16, 100, WhenFull::backpressure));
    send(batch_of_run({1, 1}, 0, 10));
  }
};

TEST_F(LentFrames, GoBackWhereNobodySettlesThem) {
  {
    const Lent lent = lend(4);
    EXPECT_EQ(stats().buffer.lent.frames, 4U);
  }
  test::poll(context_);
  EXPECT_EQ(stats().buffer.lent, Amount{});
  EXPECT_EQ(sequences_of(drain()), numbers(0, 10));
}

TEST_F(LentFrames, GoBackWhenTheirVariableIsReassigned) {
  Lent lent = lend(4);
  lent = lend(3);
  test::poll(context_);
  EXPECT_EQ(sequences_of(lent.frames()), numbers(4, 3));
  EXPECT_EQ(call(std::move(lent).settle()), error_code{});
  EXPECT_EQ(stats().buffer.lent, Amount{});
  EXPECT_EQ(stats().ledger.drained, 3U);
  EXPECT_THAT(sequences_of(drain()), ElementsAre(0, 1, 2, 3, 7, 8, 9));
}

TEST_F(LentFrames, AreSettledOnceHoweverOftenItIsSaid) {
  Lent lent = lend(4);
  EXPECT_EQ(call(std::move(lent).settle()), error_code{});
  EXPECT_EQ(call(std::move(lent).settle()), error_code{});    // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(call(std::move(lent).put_back()), error_code{});  // NOLINT(bugprone-use-after-move)
  const AggregatorStats now = stats();
  EXPECT_EQ(now.buffer.lent, Amount{});
  EXPECT_EQ(now.ledger.drained, 4U);
  EXPECT_EQ(now.ledger.buffered, 6U);
}

TEST_F(LentFrames, ThatNobodyAwaitsToBeSettledGoBack) {
  std::ignore = lend(4).settle();  // nobody awaits it
  test::poll(context_);
  EXPECT_EQ(stats().buffer.lent, Amount{});
  EXPECT_EQ(sequences_of(drain()), numbers(0, 10));
}

TEST_F(LentFrames, AreSettledOrReturnedDespiteCancellation) {
  for (const bool settles : {true, false}) {
    spawn(options(16, 100, WhenFull::backpressure));
    send(batch_of_run({1, 1}, 0, 10));
    Lent lent = lend(4);
    // More requests than the control lane holds, so that this one has to wait.
    std::vector<std::future<AggregatorHandle::Result<Amount>>> depths;
    for (int i = 0; i < 100; ++i) {
      depths.push_back(asio::co_spawn(context_, aggregator_->depth(), asio::use_future));
    }
    asio::cancellation_signal cancel;
    auto ended =
        asio::co_spawn(context_, settles ? std::move(lent).settle() : std::move(lent).put_back(),
                       asio::bind_cancellation_slot(cancel.slot(), asio::use_future));
    asio::post(context_, [&] { cancel.emit(asio::cancellation_type::terminal); });
    test::poll(context_);
    ASSERT_TRUE(test::is_ready(ended));
    EXPECT_EQ(stats().buffer.lent, Amount{});
    EXPECT_EQ(stats().ledger.drained, settles ? 4U : 0U);
    EXPECT_EQ(stats().ledger.buffered, settles ? 6U : 10U);
  }
}

TEST_F(LentFrames, OfACancelledDrainAreStillRead) {
  constexpr std::uint32_t batches = 2'100;  // two steps
  bool was_cancelled_once = false;
  const int moments_apart = test::slowdown == 1 ? 2 : 6;
  for (int moment = 0; moment < 30; moment += moments_apart) {
    spawn_with(WhenFull::backpressure, {{"a"}}, 10'000);
    for (std::uint32_t i = 0; i < batches; ++i) {
      send_run(i);
    }
    asio::cancellation_signal cancel;
    auto drained = asio::co_spawn(context_, aggregator_->drain({.max_frames = test::all_frames}),
                                  asio::bind_cancellation_slot(cancel.slot(), asio::use_future));
    context_.restart();
    for (int i = 0; i < moment; ++i) {
      context_.poll_one();
    }
    cancel.emit(asio::cancellation_type::terminal);
    test::poll(context_);
    ASSERT_TRUE(test::is_ready(drained));
    std::uint64_t taken = 0;
    try {
      const auto result = drained.get();
      taken = result ? result->taken.frames : 0;
    } catch (const boost::system::system_error& error) {
      EXPECT_EQ(error.code(), asio::error::operation_aborted);
    }
    was_cancelled_once |= taken == 0;
    EXPECT_EQ(stats().ledger.drained, taken) << moment;
    EXPECT_EQ(stats().ledger.buffered, batches - taken) << moment;
    EXPECT_EQ(skipped("a", Skip::drained), taken) << moment;
  }
  EXPECT_TRUE(was_cancelled_once);
}

TEST_F(LentFrames, OfALongDrainAreSkippedByConsumers) {
  constexpr std::uint32_t batches = 2'100;  // two steps
  spawn_with(WhenFull::backpressure, {{"a"}}, 10'000);
  for (std::uint32_t i = 0; i < batches; ++i) {
    send_run(i);
  }
  EXPECT_EQ(drain().taken.frames, batches);
  EXPECT_EQ(skipped("a", Skip::drained), batches);
  EXPECT_EQ(stats_of("a").lag, Amount{});
}

// Underneath ------------------------------------------------------------------------------------

TEST(RefusedByTheBuffer, SettlingMoreThanWasLent) {
  test::Buffer buffer(test::limits(any, any, WhenFull::backpressure));
  buffer.add(0, 4);
  const FrameBuffer::Taken taken =
      buffer->take({.max_frames = 2, .max_batches = any, .room = KeptRoom::lent});
  EXPECT_THROW(buffer->settle({.frames = 3, .bytes = 40}, KeptRoom::lent), std::logic_error);
  EXPECT_THROW(buffer->settle({.frames = 2, .bytes = 41}, KeptRoom::lent), std::logic_error);
  EXPECT_THROW(buffer->settle({.frames = 2, .bytes = 40}, KeptRoom::leased), std::logic_error);
  EXPECT_NO_THROW(buffer->settle(taken.amount, KeptRoom::lent));
  EXPECT_THROW(buffer->settle(taken.amount, KeptRoom::lent), std::logic_error);
}

TEST(RefusedByTheBuffer, PuttingBackToAForeignPlace) {
  test::Buffer buffer(test::limits(any, any, WhenFull::backpressure));
  buffer.add(0, 4, test::not_small);
  buffer.add(4, 4, test::not_small);
  const auto put_back = [&](std::uint64_t place, std::uint32_t frames) {
    std::vector<BufferedBatch> batches;
    batches.push_back({place, batch_of_run({1, 1}, 0, frames)});
    buffer->put_back(std::move(batches), KeptRoom::none);
  };
  for (const auto& [place, frames] : std::vector<std::pair<std::uint64_t, std::uint32_t>>{
           {1, 4}, {1, 1}, {2, 1}, {4, 2}, {5, 1}, {0, 1}, {9, 1}, {8, 2}}) {
    EXPECT_THROW(put_back(place, frames), std::logic_error) << place;
  }
  EXPECT_EQ(buffer.take(4).amount.frames, 4U);
  EXPECT_THROW(put_back(3, 3), std::logic_error);
  EXPECT_NO_THROW(put_back(1, 4));
}

TEST(RefusedByTheAccounts, PuttingBackMoreThanWasDrained) {
  Accounts accounts(100);
  accounts.received(batch_of_run({1, 1}, 0, 10));
  accounts.drained(3);
  EXPECT_THROW(accounts.put_back(4), std::logic_error);
  EXPECT_EQ(accounts.ledger(7, 0).drained, 3U);
}

}  // namespace
}  // namespace meridian::test
