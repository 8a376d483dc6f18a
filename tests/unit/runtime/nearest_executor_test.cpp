#include "runtime/nearest_executor.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

namespace meridian::test {

using namespace runtime;

namespace {

/// Three contexts with a thread each, of which the executor knows the first two.
class NearestExecutorTest : public testing::Test {
 public:
  NearestExecutorTest() {
    for (asio::io_context* const context : {&first_, &second_, &stranger_}) {
      work_.push_back(asio::make_work_guard(*context));
      threads_.emplace_back([context] { context->run(); });
    }
  }
  ~NearestExecutorTest() override {
    work_.clear();
    for (std::thread& thread : threads_) {
      thread.join();
    }
  }

 protected:
  /// On which context something runs that a thread of `asking` asks for.
  asio::io_context* runs_on(asio::io_context& asking) {
    std::promise<asio::io_context*> ran;
    asio::post(asking, [&] { executor_.execute([&] { ran.set_value(current()); }); });
    return ran.get_future().get();
  }
  asio::io_context* current() {
    for (asio::io_context* const context : {&first_, &second_, &stranger_}) {
      if (context->get_executor().running_in_this_thread()) {
        return context;
      }
    }
    return nullptr;
  }

  asio::io_context first_;
  asio::io_context second_;
  asio::io_context stranger_;
  const NearestExecutor::Contexts contexts_{&first_, &second_};
  const NearestExecutor executor_{contexts_};

 private:
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> work_;
  std::vector<std::thread> threads_;
};

TEST_F(NearestExecutorTest, RunsOnTheContextWhoseThreadAsks) {
  EXPECT_EQ(runs_on(first_), &first_);
  EXPECT_EQ(runs_on(second_), &second_);
}

TEST_F(NearestExecutorTest, RunsOnTheFirstForAllOthers) {
  EXPECT_EQ(runs_on(stranger_), &first_);
  std::promise<asio::io_context*> ran;
  executor_.execute([&] { ran.set_value(current()); });  // from a thread of no context
  EXPECT_EQ(ran.get_future().get(), &first_);
}

TEST_F(NearestExecutorTest, RunsNothingInsideTheCall) {
  std::promise<bool> first_returned;
  std::atomic<bool> returned{false};
  asio::post(first_, [&] {
    executor_.execute([&] { first_returned.set_value(returned); });
    returned = true;
  });
  EXPECT_TRUE(first_returned.get_future().get());
}

TEST_F(NearestExecutorTest, EqualsOneOfTheSameContexts) {
  const NearestExecutor::Contexts others{&first_, &second_};
  EXPECT_EQ(executor_, NearestExecutor(contexts_));
  EXPECT_NE(executor_, NearestExecutor(others));
  EXPECT_EQ(&asio::query(executor_, asio::execution::context), &first_);
}

TEST_F(NearestExecutorTest, CarriesAStrandThatAllOfThemUse) {
  const auto strand = asio::make_strand(executor_);
  constexpr int each = 2000;
  std::atomic<bool> runs{false};
  std::atomic<int> overlaps{0};
  std::atomic<int> strangers{0};
  int count = 0;  // on the strand
  std::promise<void> done;
  const auto step = [&] {
    overlaps += runs.exchange(true) ? 1 : 0;
    strangers += current() == &stranger_ ? 1 : 0;
    const bool is_last = ++count == 3 * each;
    runs = false;
    if (is_last) {
      done.set_value();  // nothing of this test may be used after that
    }
  };
  for (asio::io_context* const context : {&first_, &second_, &stranger_}) {
    asio::post(*context, [&] {
      for (int i = 0; i < each; ++i) {
        asio::post(strand, step);
      }
    });
  }
  done.get_future().wait();
  EXPECT_EQ(overlaps, 0);
  EXPECT_EQ(strangers, 0) << "who asks from there waits for nobody else there";
}

}  // namespace
}  // namespace meridian::test
