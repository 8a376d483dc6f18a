#include "unit/channel/channel_coroutines.hpp"

#include <meridian/channel.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <type_traits>
#include <vector>

namespace meridian::test {
namespace {

using testing::ElementsAre;

static_assert(!std::is_copy_constructible_v<Receiver<int>>, "there is one receiver");
static_assert(std::is_copy_constructible_v<Sender<int>>);

/// A message that can only be moved, and not be made from nothing.
class Parcel {
 public:
  explicit Parcel(int number) : number_(std::make_unique<int>(number)) {}
  [[nodiscard]] int number() const { return *number_; }

 private:
  std::unique_ptr<int> number_;
};
static_assert(!std::is_default_constructible_v<Parcel> && !std::is_copy_constructible_v<Parcel>);

class ChannelCapacity : public testing::TestWithParam<int> {};

TEST_P(ChannelCapacity, IsExactAndTheNextSendWaits) {
  const int capacity = GetParam();
  asio::io_context context;
  auto [tx, rx] = channel<int>(context.get_executor(), static_cast<std::size_t>(capacity));
  int sent = 0;
  asio::co_spawn(context, send_numbers(std::move(tx), 0, capacity + 2, &sent), rethrow);
  poll(context);
  EXPECT_EQ(sent, capacity);
  EXPECT_EQ(rx.try_receive().value(), 0);
  poll(context);
  EXPECT_EQ(sent, capacity + 1);
  EXPECT_EQ(rx.try_receive().value(), 1);
  poll(context);
  EXPECT_EQ(sent, capacity + 2);
}

INSTANTIATE_TEST_SUITE_P(Of, ChannelCapacity, testing::Values(1, 2, 32));

TEST(Channel, DeliversEverythingInOrderAndThenTheEnd) {
  asio::io_context context;
  auto [tx, rx] = channel<int>(context.get_executor(), 4);
  int sent = 0;
  std::vector<int> got;
  bool ended = false;
  asio::co_spawn(context, send_numbers(std::move(tx), 0, 10, &sent), rethrow);
  context.poll();
  asio::co_spawn(context, collect(std::move(rx), &got, &ended), rethrow);
  context.run();
  EXPECT_EQ(sent, 10);
  std::vector<int> all(10);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(got, all);
  EXPECT_TRUE(ended);
}

TEST(Channel, KeepsTheOrderOfEachSender) {
  asio::io_context context;
  auto [tx, rx] = channel<int>(context.get_executor(), 3);
  int sent = 0;
  std::vector<int> got;
  bool ended = false;
  for (int sender = 0; sender < 5; ++sender) {
    asio::co_spawn(context, send_numbers(tx, sender * 1000, 100, &sent), rethrow);
  }
  std::ignore = Sender<int>(std::move(tx));
  asio::co_spawn(context, collect(std::move(rx), &got, &ended), rethrow);
  context.run();
  ASSERT_EQ(got.size(), 500U);
  std::vector<int> next{0, 1000, 2000, 3000, 4000};
  for (const int message : got) {
    EXPECT_EQ(message, next.at(static_cast<std::size_t>(message / 1000))++);
  }
}

TEST(Channel, EndsOnlyBehindTheMessagesOfParkedSenders) {
  asio::io_context context;
  auto [tx, rx] = channel<int>(context.get_executor(), 1);
  std::vector<std::optional<error_code>> outcomes(4);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    asio::co_spawn(context, send_one(tx, static_cast<int>(i), &outcomes[i]), rethrow);
  }
  std::ignore = Sender<int>(std::move(tx));
  poll(context);
  EXPECT_TRUE(outcomes[0].has_value());
  EXPECT_FALSE(outcomes[1].has_value()) << "three senders are to be parked here";
  std::vector<int> got;
  bool ended = false;
  asio::co_spawn(context, collect(std::move(rx), &got, &ended), rethrow);
  context.restart();
  context.run();
  EXPECT_THAT(got, ElementsAre(0, 1, 2, 3));
  EXPECT_TRUE(ended);
  EXPECT_THAT(outcomes, testing::Each(std::optional<error_code>(error_code{})));
}

TEST(Channel, HoldsAtLeastOneMessage) {
  asio::io_context context;
  EXPECT_THROW(std::ignore = channel<int>(context.get_executor(), 0), std::invalid_argument);
}

TEST(Channel, RefusesSendsOnceClosedButKeepsMessages) {
  asio::io_context context;
  auto [tx, rx] = channel<int>(context.get_executor(), 2);
  std::vector<std::optional<error_code>> outcomes(3);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    asio::co_spawn(context, send_one(tx, static_cast<int>(i), &outcomes[i]), rethrow);
  }
  poll(context);
  ASSERT_FALSE(outcomes[2].has_value()) << "the third sender is to be parked here";
  rx.close();
  poll(context);
  EXPECT_EQ(outcomes[2], error_code(Errc::receiver_gone));
  const auto refused = tx.try_send(7);
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->reason, Errc::receiver_gone);
  EXPECT_TRUE(tx.closed());
  EXPECT_EQ(rx.try_receive().value(), 0);
  EXPECT_EQ(rx.try_receive().value(), 1);
  EXPECT_EQ(rx.try_receive().error(), Errc::channel_empty);
}

TEST(Channel, EndsAtOnceForAReceiverThatWaits) {
  asio::io_context context;
  auto ends = channel<int>(context.get_executor(), 1);
  std::optional<Sender<int>> tx(std::move(ends.first));
  Received<int> received;
  asio::co_spawn(context, receive_one(&ends.second, &received), rethrow);
  poll(context);
  EXPECT_FALSE(received.done);
  tx.reset();
  poll(context);
  EXPECT_TRUE(received.done);
  EXPECT_FALSE(received.value.has_value());
  EXPECT_FALSE(received.error);
}

TEST(Channel, StaysOpenWhileAnySenderLives) {
  asio::io_context context;
  auto ends = channel<int>(context.get_executor(), 4);
  std::optional<Sender<int>> first(std::move(ends.first));
  std::optional<Sender<int>> second(*first);
  first = Sender<int>(*second);  // assignment lets go of what was there
  first.reset();
  EXPECT_EQ(ends.second.try_receive().error(), Errc::channel_empty);
  EXPECT_FALSE(second->try_send(1).has_value());
  second.reset();
  EXPECT_EQ(ends.second.try_receive().value(), 1);
  EXPECT_EQ(ends.second.try_receive().error(), Errc::channel_ended);
}

TEST(Channel, StaysEnded) {
  asio::io_context context;
  auto ends = channel<int>(context.get_executor(), 4);
  std::ignore = Sender<int>(std::move(ends.first));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ends.second.try_receive().error(), Errc::channel_ended);
    Received<int> received;
    asio::co_spawn(context, receive_one(&ends.second, &received), rethrow);
    poll(context);
    EXPECT_TRUE(received.done);
    EXPECT_FALSE(received.value.has_value());
  }
}

TEST(Channel, EndsBehindAFullBuffer) {
  asio::io_context context;
  auto ends = channel<int>(context.get_executor(), 2);
  {
    const Sender<int> tx = std::move(ends.first);
    EXPECT_FALSE(tx.try_send(1).has_value());
    EXPECT_FALSE(tx.try_send(2).has_value());
  }
  EXPECT_EQ(ends.second.try_receive().value(), 1);
  EXPECT_EQ(ends.second.try_receive().value(), 2);
  EXPECT_EQ(ends.second.try_receive().error(), Errc::channel_ended);
}

TEST(Channel, ReturnsAValueThatHasNoRoom) {
  asio::io_context context;
  auto [tx, rx] = channel<Parcel>(context.get_executor(), 1);
  EXPECT_FALSE(tx.try_send(Parcel(1)).has_value());
  const std::optional<Refused<Parcel>> refused = tx.try_send(Parcel(2));
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->reason, Errc::channel_full);
  EXPECT_EQ(refused->value.number(), 2);
  EXPECT_EQ(rx.try_receive().value().number(), 1);
  EXPECT_FALSE(tx.try_send(Parcel(3)).has_value()) << "there is room again";
  EXPECT_EQ(rx.try_receive().value().number(), 3);
}

TEST(Channel, SaysThatItIsEmpty) {
  asio::io_context context;
  auto [tx, rx] = channel<int>(context.get_executor(), 1);
  EXPECT_EQ(rx.try_receive().error(), Errc::channel_empty);
}

TEST(Channel, MovesWhatCanOnlyBeMoved) {
  asio::io_context context;
  auto [tx, rx] = channel<Parcel>(context.get_executor(), 1);
  std::vector<std::optional<error_code>> outcomes(2);
  asio::co_spawn(context, send_one(tx, Parcel(1), &outcomes[0]), rethrow);
  asio::co_spawn(context, send_one(tx, Parcel(2), &outcomes[1]), rethrow);
  std::ignore = Sender<Parcel>(std::move(tx));
  std::vector<Parcel> got;
  bool ended = false;
  asio::co_spawn(context, collect(std::move(rx), &got, &ended), rethrow);
  context.run();
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].number(), 1);
  EXPECT_EQ(got[1].number(), 2);
}

TEST(Channel, SendsNothingBeforeTheSendIsAwaited) {
  asio::io_context context;
  auto [tx, rx] = channel<int>(context.get_executor(), 1);
  {
    const asio::awaitable<error_code> never_awaited = tx.send(1);
  }
  EXPECT_EQ(rx.try_receive().error(), Errc::channel_empty);
}

TEST(Channel, CompletesAWaitingSendOnItsOwnExecutor) {
  asio::io_context receivers;
  asio::io_context senders;
  auto [tx, rx] = channel<int>(receivers.get_executor(), 1);
  int sent = 0;
  asio::co_spawn(senders, send_numbers(tx, 0, 2, &sent), rethrow);
  poll(senders);
  EXPECT_EQ(sent, 1);
  EXPECT_EQ(rx.try_receive().value(), 0);
  poll(receivers);
  EXPECT_EQ(sent, 1);
  poll(senders);
  EXPECT_EQ(sent, 2);
}

TEST(ChannelWithoutReceiver, EndsParkedSendsWithAnError) {
  asio::io_context context;
  auto ends = channel<int>(context.get_executor(), 1);
  std::vector<std::optional<error_code>> outcomes(4);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    asio::co_spawn(context, send_one(ends.first, static_cast<int>(i), &outcomes[i]), rethrow);
  }
  poll(context);
  EXPECT_EQ(outcomes[0], error_code{});
  std::ignore = Receiver<int>(std::move(ends.second));
  poll(context);
  for (std::size_t i = 1; i < outcomes.size(); ++i) {
    EXPECT_EQ(outcomes[i], error_code(Errc::receiver_gone)) << i;
  }
}

TEST(ChannelWithoutReceiver, RefusesAllSends) {
  asio::io_context context;
  auto ends = channel<Parcel>(context.get_executor(), 4);
  EXPECT_FALSE(ends.first.closed());
  std::ignore = Receiver<Parcel>(std::move(ends.second));
  EXPECT_TRUE(ends.first.closed());

  const auto refused = ends.first.try_send(Parcel(7));
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->reason, Errc::receiver_gone);
  EXPECT_EQ(refused->value.number(), 7);

  std::optional<error_code> outcome;
  asio::co_spawn(context, send_one(ends.first, Parcel(8), &outcome), rethrow);
  poll(context);
  EXPECT_EQ(outcome, error_code(Errc::receiver_gone));
}

TEST(ChannelWithoutReceiver, DestroysWhatWasNotReceived) {
  asio::io_context context;
  auto ends = channel<std::shared_ptr<int>>(context.get_executor(), 2);
  const auto message = std::make_shared<int>(1);
  std::vector<std::optional<error_code>> outcomes(3);
  for (auto& outcome : outcomes) {
    asio::co_spawn(context, send_one(ends.first, message, &outcome), rethrow);
  }
  poll(context);
  EXPECT_EQ(message.use_count(), 4) << "two in the channel, one parked";
  std::ignore = Receiver<std::shared_ptr<int>>(std::move(ends.second));
  poll(context);
  EXPECT_EQ(message.use_count(), 1);
  EXPECT_EQ(ends.first.level().length, 0U);
}

TEST(ChannelWithoutReceiver, LetsTheContextComeToItsEnd) {
  asio::io_context context;
  {
    auto ends = channel<int>(context.get_executor(), 1);
    EXPECT_FALSE(ends.first.try_send(1).has_value());
    std::ignore = Sender<int>(std::move(ends.first));  // the end of the stream waits for room
    std::ignore = Receiver<int>(std::move(ends.second));
  }
  context.run();  // returns: nothing is left behind
  EXPECT_TRUE(context.stopped());
}

TEST(ChannelWithoutReceiver, IsWhatAssigningToTheReceiverLeaves) {
  asio::io_context context;
  auto first = channel<int>(context.get_executor(), 1);
  auto second = channel<int>(context.get_executor(), 1);
  first.second = std::move(second.second);
  EXPECT_TRUE(first.first.closed());
  EXPECT_FALSE(second.first.closed());
  EXPECT_FALSE(second.first.try_send(5).has_value());
  EXPECT_EQ(first.second.try_receive().value(), 5);
}

TEST(UnboundedChannel, NeverRefusesForWantOfRoom) {
  asio::io_context context;
  auto ends = unbounded_channel<int>(context.get_executor());
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_FALSE(ends.first.send(i).has_value());
  }
  std::ignore = UnboundedSender<int>(std::move(ends.first));
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_EQ(ends.second.try_receive().value(), i);
  }
  EXPECT_EQ(ends.second.try_receive().error(), Errc::channel_ended);
}

TEST(UnboundedChannel, ReturnsTheValueWhenTheReceiverIsGone) {
  asio::io_context context;
  auto ends = unbounded_channel<Parcel>(context.get_executor());
  std::ignore = Receiver<Parcel>(std::move(ends.second));
  EXPECT_TRUE(ends.first.closed());
  const auto refused = ends.first.send(Parcel(3));
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->reason, Errc::receiver_gone);
  EXPECT_EQ(refused->value.number(), 3);
}

TEST(ChannelLevel, CountsOnlyMessagesInTheChannel) {
  asio::io_context context;
  auto [tx, rx] = channel<int>(context.get_executor(), 3);
  EXPECT_EQ(tx.level().capacity, 3U);
  EXPECT_EQ(tx.level().length, 0U);
  EXPECT_EQ(tx.level().high_water, 0U);
  EXPECT_FALSE(tx.try_send(1).has_value());
  EXPECT_FALSE(tx.try_send(2).has_value());
  EXPECT_EQ(rx.level().length, 2U);
  EXPECT_EQ(rx.try_receive().value(), 1);
  EXPECT_EQ(rx.level().length, 1U);
  EXPECT_EQ(rx.level().high_water, 2U);
  EXPECT_EQ(rx.try_receive().value(), 2);
  EXPECT_EQ(tx.level().length, 0U);
  EXPECT_EQ(tx.level().high_water, 2U);
}

TEST(ChannelLevel, LeavesOutRefusedAndParkedMessages) {
  asio::io_context context;
  auto [tx, rx] = channel<int>(context.get_executor(), 3);
  int sent = 0;
  asio::co_spawn(context, send_numbers(tx, 0, 5, &sent), rethrow);
  poll(context);
  EXPECT_TRUE(tx.try_send(9).has_value());
  EXPECT_EQ(tx.level().length, 3U);
  EXPECT_EQ(tx.level().high_water, 3U);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(rx.try_receive().value(), i);
    poll(context);
  }
  EXPECT_EQ(sent, 5);
  EXPECT_EQ(tx.level().length, 0U);
}

TEST(ChannelLevel, LeavesOutTheEndOfTheStream) {
  asio::io_context context;
  auto ends = channel<int>(context.get_executor(), 3);
  std::ignore = Sender<int>(std::move(ends.first));
  EXPECT_EQ(ends.second.level().length, 0U);
}

}  // namespace
}  // namespace meridian::test
