// Waiting for an answer, but not for ever.
#include "status/patience.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <future>

namespace meridian::test {

using namespace status;

namespace {

using namespace std::chrono_literals;

using Answer = boost::system::result<int>;

class Patience : public testing::Test {
 protected:
  /// Answers once the door opens.
  asio::awaitable<Answer> behind_the_door() {
    co_await door_.async_wait(asio::as_tuple(asio::use_awaitable));
    answered_ = true;
    co_return 42;
  }
  static asio::awaitable<Answer> at_once(Answer answer) { co_return answer; }

  std::future<Answer> ask(std::chrono::steady_clock::duration patience,
                          asio::awaitable<Answer> question) {
    return asio::co_spawn(context_, within(patience, std::move(question)), asio::use_future);
  }

  asio::io_context context_{1};
  asio::steady_timer door_{context_, std::chrono::steady_clock::time_point::max()};
  bool answered_ = false;
};

TEST_F(Patience, GivesAnAnswerOrAnErrorOn) {
  auto answer = ask(1h, at_once(7));
  auto error = ask(1h, at_once(boost::system::error_code(asio::error::eof)));
  context_.run();
  EXPECT_EQ(answer.get().value(), 7);
  EXPECT_EQ(error.get().error(), asio::error::eof);
}

TEST_F(Patience, WaitsForAnAnswer) {
  auto answer = ask(1h, behind_the_door());
  context_.poll();
  door_.cancel();
  context_.run();
  EXPECT_EQ(answer.get().value(), 42);
}

TEST_F(Patience, EndsBeforeAQuestionThatTakesLonger) {
  auto answer = ask(1ms, behind_the_door());
  while (answer.wait_for(0s) != std::future_status::ready && context_.run_one() > 0) {
  }
  EXPECT_EQ(answer.get().error(), asio::error::timed_out);
  EXPECT_FALSE(answered_);
  door_.cancel();
  context_.run();
  EXPECT_TRUE(answered_) << "to nobody";
}

}  // namespace
}  // namespace meridian::test
