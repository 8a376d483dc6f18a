// The traps of Boost 1.81's concurrent_channel: for each, that ours is free of it, and, where that
// is cheap, that the raw one still has it. A RawChannel test that fails with a newer Boost tells
// that the trap is gone.
#include "unit/channel/channel_coroutines.hpp"

#include <meridian/channel.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/channel_error.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <cstddef>
#include <future>
#include <memory>
#include <thread>
#include <vector>

namespace meridian {
namespace {

using testing::poll;
using testing::receive_one;
using testing::Received;
using testing::rethrow;
using testing::run_inside;
using testing::send_one;

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

TEST(ChannelTrap, TheEndOfTheStreamLeavesBufferedMessagesReachable) {
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

TEST(ChannelTrap, AParkedSenderIsCompletedWhenTheReceiverGoes) {
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

TEST(ChannelTrap, AParkedSenderIsNotToldThatItSucceededWhenTheReceiverGoes) {
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

TEST(RawChannelTrap, ACancelledReceiveTakesTheRoomFromTheBuffer) {
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

asio::awaitable<void> keep_and_wait(Sender<int> tx, Receiver<int> elsewhere) {
  const std::optional<int> never = co_await elsewhere.receive();
  EXPECT_FALSE(tx.try_send(*never).has_value());
}

asio::awaitable<void> wait_for_one(Receiver<int> rx) {
  std::ignore = co_await rx.receive();
}

TEST(ChannelTrap, ADestroyedContextTakesAlongWhoeverWaits) {
  for (const bool receiver_first : {false, true}) {
    auto context = std::make_unique<asio::io_context>();
    std::optional ends(channel<int>(context->get_executor(), 1));
    std::optional elsewhere(channel<int>(context->get_executor(), 1));
    if (receiver_first) {
      asio::co_spawn(*context, wait_for_one(std::move(ends->second)), rethrow);
    }
    asio::co_spawn(*context, keep_and_wait(ends->first, std::move(elsewhere->second)), rethrow);
    if (!receiver_first) {
      asio::co_spawn(*context, wait_for_one(std::move(ends->second)), rethrow);
    }
    asio::co_spawn(*context,
                   keep_and_wait(elsewhere->first, channel<int>(context->get_executor(), 1).second),
                   rethrow);
    poll(*context);
    ends.reset();
    elsewhere.reset();
    context.reset();  // the last sender goes while its receiver waits
  }
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

// Cancellation that loses or doubles messages ----------------------------------------------------

TEST(ChannelTrap, AReceiveCancelledTooLateReturnsItsMessage) {
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

TEST(ChannelTrap, ACancelledReceiveTakesNoMessage) {
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

TEST(ChannelTrap, ASendCancelledInTimeSendsNothing) {
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

TEST(ChannelTrap, ASendCancelledTooLateReportsSuccess) {
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

TEST(ChannelTrap, ACancelledSendIsAllOrNothingOnManyThreads) {
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

TEST(ChannelTrap, ACancelledReceiveLosesNoMessageOnManyThreads) {
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

// Senders that race with the receiver's end ------------------------------------------------------

/// Counts how many of its kind were made, received, and destroyed without being received.
struct Tally {
  std::atomic<int> sent{0};
  std::atomic<int> refused{0};
  std::atomic<int> received{0};
  std::atomic<int> destroyed{0};
};

class Tracked {
 public:
  explicit Tracked(Tally& tally) : tally_(&tally) {}
  Tracked(Tracked&& other) noexcept : tally_(std::exchange(other.tally_, nullptr)) {}
  Tracked& operator=(Tracked&& other) noexcept {
    std::swap(tally_, other.tally_);
    return *this;
  }
  ~Tracked() {
    if (tally_ != nullptr) {
      ++tally_->destroyed;
    }
  }

 private:
  Tally* tally_;
};

asio::awaitable<void> send_until_refused(Sender<Tracked> tx, Tally* tally) {
  for (int i = 0;; ++i) {
    if (i % 2 == 0) {
      const auto refused = tx.try_send(Tracked(*tally));
      if (!refused) {
        ++tally->sent;
        continue;
      }
      ++tally->refused;
      if (refused->reason == Errc::receiver_gone) {
        co_return;
      }
    } else {
      const error_code ec = co_await tx.send(Tracked(*tally));
      if (ec) {
        EXPECT_EQ(ec, Errc::receiver_gone);
        ++tally->refused;
        co_return;
      }
      ++tally->sent;
    }
  }
}

asio::awaitable<void> receive_some(Receiver<Tracked> rx, int count, Tally* tally) {
  for (int i = 0; i < count; ++i) {
    const std::optional<Tracked> message = co_await rx.receive();
    ++tally->received;
  }
}  // the receiver goes, in the middle of the sends

TEST(ChannelTrap, EverySuccessfulSendIsReceivedOrDestroyedInTheChannel) {
  for (int round = 0; round < 300; ++round) {
    Tally tally;
    {
      asio::thread_pool pool(4);
      auto ends = channel<Tracked>(pool.get_executor(), 3);
      std::vector<std::future<void>> done;
      for (int sender = 0; sender < 4; ++sender) {
        done.push_back(
            asio::co_spawn(pool, send_until_refused(ends.first, &tally), asio::use_future));
      }
      done.push_back(asio::co_spawn(pool, receive_some(std::move(ends.second), round % 20, &tally),
                                    asio::use_future));
      for (std::future<void>& each : done) {
        each.get();  // hangs where a parked sender is forgotten
      }
      const Sender<Tracked> tx = std::move(ends.first);
      EXPECT_TRUE(tx.closed());
      EXPECT_EQ(tx.level().length, 0U);
      pool.join();
    }
    // Each message was destroyed once, wherever it ended.
    EXPECT_EQ(tally.destroyed, tally.sent + tally.refused);
    // What was sent and not received was in the channel when the receiver went: at most what it
    // holds, 3.
    EXPECT_EQ(tally.received, round % 20);
    EXPECT_GE(tally.sent, tally.received);
    EXPECT_LE(tally.sent, tally.received + 3);
  }
}

}  // namespace
}  // namespace meridian
