// What is thrown in the aggregator, which only a bug or the end of memory can bring about.
#include "aggregator/maintenance.hpp"
#include "unit/aggregator/aggregator_fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <tuple>
#include <utility>

namespace meridian::test {

using namespace aggregator;
namespace {

class AggregatorFault : public test::AggregatorTest {
 protected:
  /// Ten frames, and books that have five leased ones besides, which no aggregator saves.
  void break_ledger() {
    spawn({});
    SavedState saved;
    saved.ledger = Ledger{.received = 15, .buffered = 10, .leased = 5};
    saved.add(batch_of_run({1, 1}, 0, 10));
    EXPECT_THROW(call(Maintenance(*aggregator_).restore(std::move(saved))), std::logic_error);
  }
};

TEST_F(AggregatorFault, LeavesTheContextAndTheAggregatorGoesOn) {
  break_ledger();
  send(batch_of_run({1, 1}, 10, 7));
  EXPECT_EQ(call(aggregator_->depth()).value().frames, 17U);
  EXPECT_THROW(call(aggregator_->stats()), std::logic_error) << "each time that it is looked at";
  EXPECT_EQ(drain(2).taken.frames, 2U);
}

TEST_F(AggregatorFault, TellsWhoAskedThatThereIsNoAnswer) {
  break_ledger();
  auto answer = asio::co_spawn(context_, aggregator_->stats(), asio::use_future);
  EXPECT_THROW(test::poll(context_), std::logic_error);
  test::poll(context_);
  ASSERT_TRUE(test::is_ready(answer));
  EXPECT_EQ(answer.get().error(), Errc::reply_dropped);
}

TEST_F(AggregatorFault, LeavesAllFramesToTheNextOne) {
  break_ledger();
  send(batch_of_run({1, 1}, 10, 7));
  std::ignore = call(aggregator_->lease({.max_frames = 4, .duration = std::chrono::hours(1)}));
  FinalState last = call(aggregator_->shut_down()).value();
  EXPECT_FALSE(last.stats.ledger.balanced());
  std::uint64_t frames = 0;
  for (const BufferedBatch& buffered : last.saved.frames) {
    frames += buffered.batch.frames();
  }
  EXPECT_EQ(frames, 17U);

  spawn({});
  const Ledger after =
      call(Maintenance(*aggregator_).restore(std::move(last.saved))).value().ledger;
  EXPECT_EQ(after.received, 17U) << "a new ledger, since that one cannot be true";
  EXPECT_TRUE(after.balanced());
}

}  // namespace
}  // namespace meridian::test
