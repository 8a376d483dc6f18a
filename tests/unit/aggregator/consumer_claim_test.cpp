// Of each name there is one consumer at a time.
#include "unit/aggregator/consumer_fixture.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <utility>

namespace meridian::test {

using namespace aggregator;
namespace {

class ConsumerClaim : public test::ConsumerTest {
 protected:
  void SetUp() override { spawn_with(WhenFull::backpressure, {{"a"}, {"b"}}); }

  error_code claim_error(const std::string& name) {
    std::optional<Consumer> consumer;
    return call(begin(*aggregator_, name, consumer));
  }
};

TEST_F(ConsumerClaim, IsRefusedWhileTheNameIsTaken) {
  const Consumer a = consume("a");
  EXPECT_EQ(claim_error("a"), Errc::consumer_claimed);
  EXPECT_EQ(claim_error("b"), error_code{});
}

TEST_F(ConsumerClaim, PassesOnWithTheConsumer) {
  std::optional<Consumer> moved;
  {
    Consumer a = consume("a");
    moved = std::move(a);
  }
  EXPECT_EQ(claim_error("a"), Errc::consumer_claimed);
}

TEST_F(ConsumerClaim, EndsWithItsConsumerAndFramesAreReread) {
  send_run(0, 2);
  send_run(2, 2);
  {
    Consumer a = consume("a");
    acknowledge(a, next(a, 1));
    EXPECT_EQ(sequences_in(next(a)), numbers(2, 2));
  }
  Consumer a = consume("a");
  EXPECT_EQ(stats_of("a").in_flight, Amount{});
  const Batches again = next(a);
  EXPECT_EQ(sequences_in(again), numbers(2, 2));
  acknowledge(a, again);
  EXPECT_EQ(stats_of("a").lag, Amount{});
}

TEST_F(ConsumerClaim, ACallInProgressKeepsIt) {
  std::optional<Consumer> a = consume("a");
  auto waiting = test::start(context_, a->next(1));
  a.reset();
  EXPECT_EQ(claim_error("a"), Errc::consumer_claimed);
  send_run(0, 1);
  ASSERT_TRUE(test::is_ready(waiting));
  EXPECT_EQ(sequences_in(waiting.get().value()), numbers(0, 1));
  EXPECT_EQ(claim_error("a"), error_code{});
}

TEST_F(ConsumerClaim, NeedsNamesThatDiffer) {
  EXPECT_THROW(spawn_with(WhenFull::backpressure, {{"a"}, {"a"}}), std::invalid_argument);
}

}  // namespace
}  // namespace meridian::test
