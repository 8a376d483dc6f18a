// Cancellation of single operations: a cancelled receive takes no message, a cancelled send has
// sent nothing, and what could not be cancelled any more says so.
#include "unit/channel/channel_coroutines.hpp"

#include <meridian/channel.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include <future>
#include <optional>

namespace meridian::test {
namespace {

TEST(ChannelCancellation, AReceiveCancelledTooLateReturnsItsMessage) {
  asio::io_context context;
  auto ends = channel<int>(context.get_executor(), 4);
  asio::cancellation_signal cancel;
  Received<int> received;
  asio::co_spawn(context, receive_one(&ends.second, &received),
                 asio::bind_cancellation_slot(cancel.slot(), rethrow));
  poll(context);
  run_inside(context, [&] {
    EXPECT_FALSE(ends.first.try_send(1).has_value());
    cancel.emit(asio::cancellation_type::terminal);
  });
  EXPECT_EQ(received.value, 1);
  for (int i = 2; i < 5; ++i) {  // whatever the cancellation left behind is no message
    ASSERT_FALSE(ends.first.try_send(i).has_value());
    EXPECT_EQ(ends.second.try_receive().value(), i);
  }
  EXPECT_EQ(ends.second.try_receive().error(), Errc::channel_empty);
}

TEST(ChannelCancellation, ACancelledReceiveTakesNoMessage) {
  asio::io_context context;
  auto ends = channel<int>(context.get_executor(), 4);
  asio::cancellation_signal cancel;
  Received<int> received;
  asio::co_spawn(context, receive_one(&ends.second, &received),
                 asio::bind_cancellation_slot(cancel.slot(), rethrow));
  poll(context);
  run_inside(context, [&] {
    cancel.emit(asio::cancellation_type::terminal);
    EXPECT_FALSE(ends.first.try_send(1).has_value());
  });
  EXPECT_EQ(received.error, asio::error::operation_aborted);
  EXPECT_EQ(ends.second.try_receive().value(), 1);
}

TEST(ChannelCancellation, ASendCancelledInTimeSendsNothing) {
  asio::io_context context;
  auto ends = channel<int>(context.get_executor(), 1);
  ASSERT_FALSE(ends.first.try_send(1).has_value());
  asio::cancellation_signal cancel;
  std::optional<error_code> sent;
  asio::co_spawn(context, send_one(ends.first, 2, &sent),
                 asio::bind_cancellation_slot(cancel.slot(), rethrow));
  poll(context);
  cancel.emit(asio::cancellation_type::terminal);
  poll(context);
  EXPECT_EQ(sent, asio::error::operation_aborted);
  EXPECT_EQ(ends.second.try_receive().value(), 1);
  EXPECT_EQ(ends.second.try_receive().error(), Errc::channel_empty);
  EXPECT_FALSE(ends.first.try_send(3).has_value());
}

TEST(ChannelCancellation, ASendCancelledTooLateReportsSuccess) {
  asio::io_context context;
  auto ends = channel<int>(context.get_executor(), 1);
  ASSERT_FALSE(ends.first.try_send(1).has_value());
  asio::cancellation_signal cancel;
  std::optional<error_code> sent;
  asio::co_spawn(context, send_one(ends.first, 2, &sent),
                 asio::bind_cancellation_slot(cancel.slot(), rethrow));
  poll(context);
  run_inside(context, [&] {
    EXPECT_EQ(ends.second.try_receive().value(), 1);  // makes room: 2 is in the channel now
    cancel.emit(asio::cancellation_type::terminal);
  });
  EXPECT_EQ(sent, error_code{});
  EXPECT_EQ(ends.second.try_receive().value(), 2);
}

/// An operation whose cancellation is requested from the strand that it runs on, as Asio demands.
struct Cancellable {
  explicit Cancellable(asio::thread_pool& pool) : strand(asio::make_strand(pool)) {}

  asio::strand<asio::thread_pool::executor_type> strand;
  asio::cancellation_signal signal;
};

asio::awaitable<void> emit(Cancellable* operation) {
  operation->signal.emit(asio::cancellation_type::terminal);
  co_return;
}

asio::awaitable<bool> send_reporting(Sender<int> tx, int value) {
  try {
    const error_code ec = co_await tx.send(value);
    co_return !ec;
  } catch (const boost::system::system_error&) {
    co_return false;  // was cancelled before it began
  }
}

asio::awaitable<int> receive_reporting(Receiver<int>* rx) {
  try {
    const std::optional<int> value = co_await rx->receive();
    co_return value.value();
  } catch (const boost::system::system_error&) {
    co_return -1;
  }
}

asio::awaitable<int> take_now(Receiver<int>* rx) {
  co_return rx->try_receive().value();
}

asio::awaitable<bool> send_now(Sender<int> tx, int value) {
  co_return !tx.try_send(value).has_value();
}

TEST(ChannelCancellation, CancelledSendIsAtomicOnManyThreads) {
  asio::thread_pool pool(4);
  auto ends = channel<int>(pool.get_executor(), 1);
  int cancelled = 0;
  for (int round = 0; round < 5000; ++round) {
    ASSERT_FALSE(ends.first.try_send(-1).has_value());
    Cancellable sending(pool);
    std::future<bool> sent =
        asio::co_spawn(sending.strand, send_reporting(ends.first, round),
                       asio::bind_cancellation_slot(sending.signal.slot(), asio::use_future));
    // Room and cancellation come at the same time, on two threads.
    std::future<int> received = asio::co_spawn(pool, take_now(&ends.second), asio::use_future);
    std::future<void> emitted = asio::co_spawn(sending.strand, emit(&sending), asio::use_future);
    ASSERT_EQ(received.get(), -1);
    emitted.get();
    const bool reported = sent.get();
    const auto got = ends.second.try_receive();
    ASSERT_EQ(got.has_value(), reported) << "round " << round;
    if (reported) {
      ASSERT_EQ(*got, round);
    }
    cancelled += reported ? 0 : 1;
  }
  RecordProperty("cancelled_sends", cancelled);
}

TEST(ChannelCancellation, CancelledReceiveLosesNoMessageOnManyThreads) {
  asio::thread_pool pool(4);
  auto ends = channel<int>(pool.get_executor(), 2);
  int cancelled = 0;
  for (int round = 0; round < 5000; ++round) {
    Cancellable receiving(pool);
    std::future<int> received =
        asio::co_spawn(receiving.strand, receive_reporting(&ends.second),
                       asio::bind_cancellation_slot(receiving.signal.slot(), asio::use_future));
    // The message and the cancellation come at the same time, on two threads.
    std::future<bool> sent = asio::co_spawn(pool, send_now(ends.first, round), asio::use_future);
    std::future<void> emitted =
        asio::co_spawn(receiving.strand, emit(&receiving), asio::use_future);
    ASSERT_TRUE(sent.get()) << "there is room, round " << round;
    emitted.get();
    int got = received.get();
    if (got == -1) {
      ++cancelled;
      if (const auto later = ends.second.try_receive()) {
        got = *later;
      }
    }
    ASSERT_EQ(got, round);
  }
  RecordProperty("cancelled_receives", cancelled);
}

}  // namespace
}  // namespace meridian::test
