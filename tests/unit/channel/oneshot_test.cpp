#include "unit/channel/channel_coroutines.hpp"

#include <meridian/oneshot.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <thread>
#include <type_traits>
#include <utility>

namespace meridian::test {
namespace {

template <typename S>
concept SendsAsLvalue = requires(S sender) { sender.send(1); };
template <typename S>
concept SendsAsRvalue = requires(S sender) { std::move(sender).send(1); };
template <typename R>
concept ReceivesAsLvalue = requires(R receiver) { receiver.receive(); };

static_assert(SendsAsRvalue<OneshotSender<int>>);
static_assert(!SendsAsLvalue<OneshotSender<int>>, "to send consumes the sender");
static_assert(!ReceivesAsLvalue<OneshotReceiver<int>>, "to receive consumes the receiver");
static_assert(!std::is_copy_constructible_v<OneshotSender<int>>, "a reply is sent once");
static_assert(!std::is_copy_assignable_v<OneshotSender<int>>);
static_assert(!std::is_copy_constructible_v<OneshotReceiver<int>>);

using Reply = boost::system::result<std::unique_ptr<int>>;
using Pair = std::pair<OneshotSender<std::unique_ptr<int>>, OneshotReceiver<std::unique_ptr<int>>>;

Pair make_oneshot(asio::io_context& context) {
  return oneshot<std::unique_ptr<int>>(context.get_executor());
}

/// What came of a wait, if it has ended.
using Outcome = std::optional<Reply>;

asio::awaitable<void> wait_for_reply(OneshotReceiver<std::unique_ptr<int>> rx, Outcome* outcome) {
  outcome->emplace(co_await std::move(rx).receive());
}

TEST(Oneshot, DeliversAReplyThatWasSentBefore) {
  asio::io_context context;
  auto [tx, rx] = make_oneshot(context);
  EXPECT_FALSE(std::move(tx).send(std::make_unique<int>(42)).has_value());
  Outcome outcome;
  asio::co_spawn(context, wait_for_reply(std::move(rx), &outcome), rethrow);
  context.run();
  ASSERT_TRUE(outcome.has_value() && outcome->has_value());
  EXPECT_EQ(***outcome, 42);
}

TEST(Oneshot, DeliversAReplyToAReceiverThatWaits) {
  asio::io_context context;
  auto [tx, rx] = make_oneshot(context);
  Outcome outcome;
  asio::co_spawn(context, wait_for_reply(std::move(rx), &outcome), rethrow);
  poll(context);
  EXPECT_FALSE(outcome.has_value());
  EXPECT_FALSE(std::move(tx).send(std::make_unique<int>(42)).has_value());
  context.restart();
  context.run();
  ASSERT_TRUE(outcome.has_value() && outcome->has_value());
  EXPECT_EQ(***outcome, 42);
}

TEST(Oneshot, ReportsAReplierGoneBeforeTheWait) {
  asio::io_context context;
  auto ends = make_oneshot(context);
  std::ignore = OneshotSender<std::unique_ptr<int>>(std::move(ends.first));
  Outcome outcome;
  asio::co_spawn(context, wait_for_reply(std::move(ends.second), &outcome), rethrow);
  context.run();
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->error(), Errc::reply_dropped);
}

TEST(Oneshot, ReportsAReplierGoneDuringTheWait) {
  asio::io_context context;
  auto ends = make_oneshot(context);
  Outcome outcome;
  asio::co_spawn(context, wait_for_reply(std::move(ends.second), &outcome), rethrow);
  poll(context);
  EXPECT_FALSE(outcome.has_value());
  std::ignore = OneshotSender<std::unique_ptr<int>>(std::move(ends.first));
  context.restart();
  context.run();
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->error(), Errc::reply_dropped);
}

TEST(Oneshot, GivesTheReplyBackWhenNobodyReceivesIt) {
  asio::io_context context;
  auto ends = make_oneshot(context);
  std::ignore = OneshotReceiver<std::unique_ptr<int>>(std::move(ends.second));
  const auto back = std::move(ends.first).send(std::make_unique<int>(42));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(**back, 42);
}

TEST(Oneshot, ReturnsTheReplyIfTheWaitNeverStarted) {
  asio::io_context context;
  auto ends = make_oneshot(context);
  {
    const auto never_awaited = std::move(ends.second).receive();
  }
  EXPECT_TRUE(std::move(ends.first).send(std::make_unique<int>(42)).has_value());
}

TEST(Oneshot, GivesTheReplyBackAfterACancelledWait) {
  asio::io_context context;
  auto ends = make_oneshot(context);
  asio::cancellation_signal cancel;
  Outcome outcome;
  asio::co_spawn(context, wait_for_reply(std::move(ends.second), &outcome),
                 asio::bind_cancellation_slot(cancel.slot(), rethrow));
  poll(context);
  cancel.emit(asio::cancellation_type::terminal);
  poll(context);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->error(), asio::error::operation_aborted);
  const auto back = std::move(ends.first).send(std::make_unique<int>(42));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(**back, 42);
}

TEST(Oneshot, LosesNoReplyThatComesDuringACancellation) {
  asio::io_context context;
  auto ends = make_oneshot(context);
  asio::cancellation_signal cancel;
  Outcome outcome;
  asio::co_spawn(context, wait_for_reply(std::move(ends.second), &outcome),
                 asio::bind_cancellation_slot(cancel.slot(), rethrow));
  poll(context);
  std::optional<std::unique_ptr<int>> back;
  run_inside(context, [&] {
    cancel.emit(asio::cancellation_type::terminal);
    back = std::move(ends.first).send(std::make_unique<int>(42));
  });
  ASSERT_TRUE(outcome.has_value());
  EXPECT_NE(back.has_value(), outcome->has_value()) << "exactly one end has the reply";
}

TEST(Oneshot, KeepsAReplyThatCameBeforeTheCancellation) {
  asio::io_context context;
  auto ends = make_oneshot(context);
  asio::cancellation_signal cancel;
  Outcome outcome;
  asio::co_spawn(context, wait_for_reply(std::move(ends.second), &outcome),
                 asio::bind_cancellation_slot(cancel.slot(), rethrow));
  poll(context);
  run_inside(context, [&] {
    EXPECT_FALSE(std::move(ends.first).send(std::make_unique<int>(42)).has_value());
    cancel.emit(asio::cancellation_type::terminal);
  });
  ASSERT_TRUE(outcome.has_value() && outcome->has_value());
  EXPECT_EQ(***outcome, 42);
}

asio::awaitable<bool> replied(OneshotReceiver<std::unique_ptr<int>> rx) {
  const Reply reply = co_await std::move(rx).receive();
  co_return reply.has_value();
}

TEST(Oneshot, DeliversOrDropsOnTwoThreads) {
  asio::thread_pool receivers(1);
  for (int round = 0; round < 2000; ++round) {
    auto ends = oneshot<std::unique_ptr<int>>(receivers.get_executor());
    std::future<bool> got =
        asio::co_spawn(receivers, replied(std::move(ends.second)), asio::use_future);
    const bool sends = round % 2 == 0;
    if (sends) {
      EXPECT_FALSE(std::move(ends.first).send(std::make_unique<int>(round)).has_value());
    } else {
      std::ignore = OneshotSender<std::unique_ptr<int>>(std::move(ends.first));
    }
    EXPECT_EQ(got.get(), sends) << round;
  }
}

}  // namespace
}  // namespace meridian::test
