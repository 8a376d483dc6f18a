#include "runtime/run_on_threads.hpp"

#include "runtime/faults.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gtest/gtest.h>

#include <barrier>
#include <exception>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

namespace meridian::test {

using namespace runtime;

namespace {

namespace asio = boost::asio;

TEST(RunOnThreads, RunsOnAsManyAsAsked) {
  asio::io_context context;
  std::barrier all_here(3);  // for ever, if there were fewer
  for (int i = 0; i < 3; ++i) {
    asio::post(context, [&] { all_here.arrive_and_wait(); });
  }
  run_on_threads({&context, &context, &context});
  EXPECT_TRUE(context.stopped());
}

TEST(RunOnThreads, RunsEachContextOnThreadsOfItsOwn) {
  asio::io_context one;
  asio::io_context two;
  std::barrier all_here(3);
  std::mutex mutex;
  std::map<asio::io_context*, std::set<std::thread::id>> threads;
  const auto note = [&](asio::io_context& context) {
    asio::post(context, [&] {
      {
        const std::lock_guard lock(mutex);
        threads[&context].insert(std::this_thread::get_id());
      }
      all_here.arrive_and_wait();
    });
  };
  note(one);
  note(two);
  note(two);
  run_on_threads({&one, &two, &two});
  EXPECT_EQ(threads[&one], std::set{std::this_thread::get_id()});
  EXPECT_EQ(threads[&two].size(), 2U);
  EXPECT_FALSE(threads[&two].contains(std::this_thread::get_id()));
}

TEST(RunOnThreads, StopsAllContextsWhereOneThrows) {
  asio::io_context one;
  asio::io_context two;
  asio::steady_timer never(one, std::chrono::hours(1));
  never.async_wait([](const boost::system::error_code&) {});
  asio::post(two, [] { throw std::logic_error("a bug"); });
  EXPECT_THROW(run_on_threads({&one, &one, &two}), std::logic_error);
}

TEST(RunOnThreads, RethrowsAndStopsTheOtherThreads) {
  asio::io_context context;
  asio::steady_timer never(context, std::chrono::hours(1));
  never.async_wait([](const boost::system::error_code&) {});
  std::barrier all_here(2);
  asio::post(context, [&] { all_here.arrive_and_wait(); });
  asio::post(context, [&] {
    all_here.arrive_and_wait();
    throw std::logic_error("a bug");
  });
  EXPECT_THROW(run_on_threads({&context, &context}), std::logic_error);
}

TEST(RunOnThreads, HandsOverWhatIsThrownAndGoesOn) {
  asio::io_context one;
  asio::io_context two;
  std::mutex mutex;
  std::set<std::string> thrown;
  int ran = 0;
  for (asio::io_context* const context : {&one, &two}) {
    asio::post(*context, [] { throw std::logic_error("a bug"); });
    asio::post(*context, [] { throw 5; });
    asio::post(*context, [&] {
      const std::lock_guard lock(mutex);
      ++ran;
    });
  }
  run_on_threads({&one, &two}, [&](const std::exception_ptr& error) {
    const std::lock_guard lock(mutex);
    thrown.insert(describe(error));
  });
  EXPECT_EQ(ran, 2);
  EXPECT_EQ(thrown, (std::set<std::string>{"a bug", "an exception of an unknown type"}));
}

}  // namespace
}  // namespace meridian::test
