// The traps of Boost 1.81's concurrent_channel: for each, that ours is free of it, and, where that
// is cheap, that the raw one still has it. A RawChannel test that fails with a newer Boost tells
// that the trap is gone. channel_cancellation_test.cpp and channel_race_test.cpp have those about
// cancellation and about threads.
#include "unit/channel/channel_coroutines.hpp"

#include <meridian/channel.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/channel_error.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

namespace meridian::test {
namespace {

using RawChannel = asio::experimental::concurrent_channel<void(error_code, int)>;

/// What became of an operation on a raw channel.
struct RawOutcome {
  bool completed = false;
  error_code error;
};

auto note(RawOutcome* outcome) {
  return [outcome](error_code ec, auto&&...) { *outcome = {true, ec}; };
}

// Trap: close() makes the messages still buffered unreachable ------------------------------------

TEST(RawChannelTrap, CloseMakesBufferedMessagesUnreachable) {
  asio::io_context context;
  RawChannel raw(context, 4);
  ASSERT_TRUE(raw.try_send(error_code{}, 1));
  raw.close();
  RawOutcome received;
  raw.async_receive(note(&received));
  poll(context);
  EXPECT_EQ(received.error, asio::experimental::error::channel_closed);
}

TEST(ChannelTrap, EndOfStreamLeavesBufferedMessagesReachable) {
  asio::io_context context;
  auto ends = channel<int>(context.get_executor(), 4);
  for (int i = 0; i < 4; ++i) {
    ASSERT_FALSE(ends.first.try_send(i).has_value());
  }
  std::ignore = Sender<int>(std::move(ends.first));
  for (int i = 0; i < 4; ++i) {
    Received<int> received;
    asio::co_spawn(context, receive_one(&ends.second, &received), rethrow);
    poll(context);
    EXPECT_EQ(received.value, i);
  }
}

// Trap: close() never completes a parked sender --------------------------------------------------

TEST(RawChannelTrap, CloseLeavesAParkedSenderParked) {
  asio::io_context context;
  RawChannel raw(context, 1);
  ASSERT_TRUE(raw.try_send(error_code{}, 1));
  RawOutcome sent;
  raw.async_send(error_code{}, 2, note(&sent));
  raw.close();
  poll(context);
  EXPECT_FALSE(sent.completed);
}

TEST(ChannelTrap, WaitingSendCompletesWhenTheReceiverGoes) {
  asio::io_context context;
  auto ends = channel<int>(context.get_executor(), 1);
  ASSERT_FALSE(ends.first.try_send(1).has_value());
  std::optional<error_code> sent;
  asio::co_spawn(context, send_one(ends.first, 2, &sent), rethrow);
  poll(context);
  ASSERT_FALSE(sent.has_value());
  std::ignore = Receiver<int>(std::move(ends.second));
  poll(context);
  EXPECT_TRUE(sent.has_value());
}

// Trap: cancel() after close() completes parked senders with success -----------------------------
// No RawChannel test: the raw channel takes the parked sender for a receiver, which is undefined.

TEST(ChannelTrap, WaitingSendFailsWhenTheReceiverGoes) {
  asio::io_context context;
  auto ends = channel<int>(context.get_executor(), 1);
  ASSERT_FALSE(ends.first.try_send(1).has_value());
  std::optional<error_code> sent;
  asio::co_spawn(context, send_one(ends.first, 2, &sent), rethrow);
  poll(context);
  std::ignore = Receiver<int>(std::move(ends.second));
  poll(context);
  EXPECT_EQ(sent, error_code(Errc::receiver_gone));
}

// Trap: a cancelled receive leaves a channel that holds nothing ----------------------------------

TEST(RawChannelTrap, CancelledReceiveLosesRoomInTheBuffer) {
  asio::io_context context;
  RawChannel raw(context, 4);
  RawOutcome received;
  raw.async_receive(note(&received));
  raw.cancel();
  poll(context);
  EXPECT_EQ(received.error, asio::experimental::error::channel_cancelled);
  EXPECT_FALSE(raw.try_send(error_code{}, 1));
}

TEST(ChannelTrap, ACancelledReceiveLeavesTheChannelItsCapacity) {
  asio::io_context context;
  auto ends = channel<int>(context.get_executor(), 4);
  asio::cancellation_signal cancel;
  Received<int> received;
  asio::co_spawn(context, receive_one(&ends.second, &received),
                 asio::bind_cancellation_slot(cancel.slot(), rethrow));
  poll(context);
  cancel.emit(asio::cancellation_type::terminal);
  poll(context);
  EXPECT_EQ(received.error, asio::error::operation_aborted);
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(ends.first.try_send(i).has_value()) << i;
  }
  EXPECT_TRUE(ends.first.try_send(4).has_value());
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(ends.second.try_receive().value(), i);
  }
}

// Trap: a send to a channel whose context is being destroyed crashes ------------------------------
// No RawChannel test: it would crash.

/// Holds a sender while it waits for what never comes.
asio::awaitable<void> keep_and_wait([[maybe_unused]] Sender<int> tx, Receiver<int> rx) {
  std::ignore = co_await rx.receive();
  ADD_FAILURE() << "nobody sends";
}

asio::awaitable<void> wait_for_one(Receiver<int> rx) {
  std::ignore = co_await rx.receive();
}

TEST(ChannelTrap, ADestroyedContextTakesAlongWhoeverWaits) {
  auto context = std::make_unique<asio::io_context>();
  {
    auto [tx_a, rx_a] = channel<int>(context->get_executor(), 1);
    auto [tx_b, rx_b] = channel<int>(context->get_executor(), 1);
    // Whichever goes first lets go of the last sender to the other, which waits.
    asio::co_spawn(*context, keep_and_wait(std::move(tx_a), std::move(rx_b)), rethrow);
    asio::co_spawn(*context, keep_and_wait(std::move(tx_b), std::move(rx_a)), rethrow);
  }
  poll(*context);
  EXPECT_FALSE(context->stopped()) << "both are to wait here";
  context.reset();
}

TEST(ChannelTrap, ADestroyedContextTakesAlongParkedSenders) {
  auto context = std::make_unique<asio::io_context>();
  std::optional ends(channel<int>(context->get_executor(), 1));
  std::vector<std::optional<error_code>> outcomes(3);
  for (std::optional<error_code>& outcome : outcomes) {
    asio::co_spawn(*context, send_one(ends->first, 1, &outcome), rethrow);
  }
  poll(*context);
  asio::co_spawn(*context, wait_for_one(std::move(ends->second)), rethrow);
  ends.reset();
  context.reset();
  EXPECT_FALSE(outcomes[2].has_value());
}

}  // namespace
}  // namespace meridian::test
