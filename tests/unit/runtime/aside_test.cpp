#include "runtime/aside.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace meridian::test {

using namespace runtime;

namespace {

using namespace std::chrono_literals;

class AsideTest : public testing::Test {
 protected:
  using Answer = std::optional<std::string>;

  std::future<Answer> call(std::function<std::string()> function,
                           std::chrono::milliseconds patience = 1h) {
    return asio::co_spawn(context_, aside_.call(std::move(function), patience), asio::use_future);
  }
  Answer run(std::future<Answer> answer) {
    context_.restart();
    context_.run();
    return answer.get();
  }

  asio::io_context context_;
  Aside<std::string> aside_{context_.get_executor()};
};

TEST_F(AsideTest, ReturnsWhatAFunctionDoesOnAnotherThread) {
  std::thread::id where;
  EXPECT_EQ(run(call([&where] {
              where = std::this_thread::get_id();
              return "done";
            })),
            "done");
  EXPECT_NE(where, std::this_thread::get_id());
  EXPECT_EQ(run(call([] { return "again"; })), "again");
}

TEST_F(AsideTest, ThrowsWhatAFunctionThrows) {
  EXPECT_THROW(run(call([]() -> std::string { throw std::runtime_error("no"); })),
               std::runtime_error);
  EXPECT_EQ(run(call([] { return "again"; })), "again");
}

TEST_F(AsideTest, WaitsForNobodyWhoTakesTooLong) {
  const auto hangs = std::make_shared<std::promise<void>>();
  const std::shared_future<void> end = hangs->get_future().share();
  const auto hang = [end] {
    end.wait();
    return "late";
  };
  EXPECT_EQ(run(call(hang, 1ms)), std::nullopt);
  EXPECT_EQ(run(call([] { return "next"; })), "next") << "that one still hangs";
  hangs->set_value();
  EXPECT_EQ(run(call([] { return "another"; })), "another") << "nobody hears what was late";
}

TEST_F(AsideTest, RefusesAnotherWhereManyHangUntilOneEnds) {
  const auto hangs = std::make_shared<std::promise<void>>();
  const std::shared_future<void> end = hangs->get_future().share();
  const auto hang = [end] {
    end.wait();
    return "late";
  };
  for (std::size_t i = 0; i < Aside<std::string>::most_running; ++i) {
    EXPECT_FALSE(aside_.is_full());
    EXPECT_EQ(run(call(hang, 1ms)), std::nullopt);
  }
  EXPECT_TRUE(aside_.is_full());
  EXPECT_EQ(run(call([] { return "next"; })), std::nullopt) << "not called";
  hangs->set_value();
  Answer answer;
  while (!answer) {  // until it has ended, and what it says is for nobody
    answer = run(call([] { return "next"; }));
  }
  EXPECT_EQ(answer, "next");
}

TEST_F(AsideTest, IsGivenUpAtOnce) {
  const auto hangs = std::make_shared<std::promise<void>>();
  const std::shared_future<void> end = hangs->get_future().share();
  auto answer = call([end] {
    end.wait();
    return "late";
  });
  asio::post(context_, [this] { asio::post(context_, [this] { aside_.give_up(); }); });
  EXPECT_EQ(run(std::move(answer)), std::nullopt);
  hangs->set_value();
}

TEST(Aside, MayEndBeforeWhatItCalled) {
  std::promise<void> hangs;
  const std::shared_future<void> end = hangs.get_future().share();
  {
    asio::io_context context;
    Aside<int> aside(context.get_executor());
    auto answer = asio::co_spawn(context,
                                 aside.call(
                                     [end] {
                                       end.wait();
                                       return 1;
                                     },
                                     1ms),
                                 asio::use_future);
    context.run();
    EXPECT_EQ(answer.get(), std::nullopt);
  }
  hangs.set_value();  // what it posts nowhere any more, the sanitizers know
}

}  // namespace
}  // namespace meridian::test
