#include "unit/channel/channel_coroutines.hpp"

#include <meridian/doorbell.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

namespace meridian::test {
namespace {

asio::awaitable<void> count_wakes(Doorbell* bell, int* wakes) {
  for (;;) {
    co_await bell->wait();
    ++*wakes;
  }
}

TEST(Doorbell, WakesAWaitingCoroutine) {
  asio::io_context context;
  Doorbell bell(context.get_executor());
  int wakes = 0;
  asio::co_spawn(context, count_wakes(&bell, &wakes), rethrow);
  poll(context);
  EXPECT_EQ(wakes, 0);
  bell.ring();
  poll(context);
  EXPECT_EQ(wakes, 1);
}

TEST(Doorbell, RemembersARingBeforeTheWait) {
  asio::io_context context;
  Doorbell bell(context.get_executor());
  bell.ring();
  int wakes = 0;
  asio::co_spawn(context, count_wakes(&bell, &wakes), rethrow);
  poll(context);
  EXPECT_EQ(wakes, 1);
}

TEST(Doorbell, TakesManyRingsForOne) {
  asio::io_context context;
  Doorbell bell(context.get_executor());
  int wakes = 0;
  for (int i = 0; i < 10; ++i) {
    bell.ring();
  }
  asio::co_spawn(context, count_wakes(&bell, &wakes), rethrow);
  poll(context);
  EXPECT_EQ(wakes, 1);
  for (int i = 0; i < 10; ++i) {
    bell.ring();
  }
  poll(context);
  EXPECT_EQ(wakes, 2);
}

asio::awaitable<void> wait_once(Doorbell* bell, bool* woken) {
  co_await bell->wait();
  *woken = true;
}

void ignore_cancellation(std::exception_ptr) {}

TEST(Doorbell, StillRingsAfterACancelledWait) {
  asio::io_context context;
  Doorbell bell(context.get_executor());
  asio::cancellation_signal cancel;
  bool woken = false;
  asio::co_spawn(context, wait_once(&bell, &woken),
                 asio::bind_cancellation_slot(cancel.slot(), ignore_cancellation));
  poll(context);
  cancel.emit(asio::cancellation_type::terminal);
  poll(context);
  EXPECT_FALSE(woken);
  bell.ring();
  asio::co_spawn(context, wait_once(&bell, &woken), rethrow);
  poll(context);
  EXPECT_TRUE(woken);
}

TEST(Doorbell, KeepsARingThatComesDuringACancellation) {
  asio::io_context context;
  Doorbell bell(context.get_executor());
  asio::cancellation_signal cancel;
  bool woken = false;
  asio::co_spawn(context, wait_once(&bell, &woken),
                 asio::bind_cancellation_slot(cancel.slot(), ignore_cancellation));
  poll(context);
  run_inside(context, [&] {
    cancel.emit(asio::cancellation_type::terminal);
    bell.ring();
  });
  bool woken_later = false;
  asio::co_spawn(context, wait_once(&bell, &woken_later), rethrow);
  poll(context);
  EXPECT_TRUE(woken || woken_later);
}

/// Consumes a counter that producers count up, sleeping at the bell.
asio::awaitable<void> consume(Doorbell* bell, std::atomic<int>* queue, int expected) {
  int consumed = 0;
  for (;;) {
    consumed += queue->exchange(0, std::memory_order_relaxed);
    if (consumed == expected) {
      co_return;
    }
    co_await bell->wait();
  }
}

TEST(Doorbell, LosesNoWorkBetweenThreads) {
  constexpr int producers = 4;
  constexpr int each = 20'000;
  asio::thread_pool consumers(2);
  Doorbell bell(consumers.get_executor());
  std::atomic<int> queue{0};
  std::future<void> all_consumed =
      asio::co_spawn(consumers, consume(&bell, &queue, producers * each), asio::use_future);
  {
    std::vector<std::jthread> threads;
    for (int producer = 0; producer < producers; ++producer) {
      threads.emplace_back([&] {
        for (int i = 0; i < each; ++i) {
          queue.fetch_add(1, std::memory_order_relaxed);  // filled first
          bell.ring();                                    // and rung then
        }
      });
    }
  }
  all_consumed.get();  // hangs if a ring was lost
  EXPECT_EQ(queue.load(), 0);
  consumers.join();
}

}  // namespace
}  // namespace meridian::test
