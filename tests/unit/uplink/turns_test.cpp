#include "uplink/turns.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace uplink;

namespace {

using testing::ElementsAre;

std::shared_ptr<status::UplinkRecord> record() {
  return std::make_shared<status::UplinkRecord>(1, "native", "the peer", ReceiveTime{});
}

/// What a session does, as often as it is told to.
asio::awaitable<Turns::Turn> take(Turns& turns, std::shared_ptr<status::UplinkRecord> uplink) {
  std::optional<Turns::Turn> turn = turns.try_take();
  if (!turn) {
    co_await turns.async_wait(std::move(uplink), asio::use_awaitable);
    turn.emplace(turns.taken());
  }
  co_return *std::move(turn);
}

asio::awaitable<void> take_and_end(Turns& turns, std::shared_ptr<status::UplinkRecord> uplink) {
  std::ignore = co_await take(turns, std::move(uplink));
}

class TurnsTest : public testing::Test {
 protected:
  /// Asks for a turn; notes who has it, and keeps it.
  std::shared_ptr<status::UplinkRecord> ask(const std::string& name) {
    auto uplink = record();
    asio::co_spawn(context_, note(name, uplink), asio::detached);
    run();
    return uplink;
  }
  void end_oldest() {
    kept_.erase(kept_.begin());
    run();
  }
  void run() {
    context_.restart();
    context_.poll();
  }

  asio::io_context context_;
  std::shared_ptr<Turns> turns_ = std::make_shared<Turns>(context_.get_executor(), 2);
  std::vector<std::string> order_;
  std::vector<std::unique_ptr<Turns::Turn>> kept_;

 private:
  asio::awaitable<void> note(std::string name, std::shared_ptr<status::UplinkRecord> uplink) {
    auto turn = std::make_unique<Turns::Turn>(co_await take(*turns_, std::move(uplink)));
    order_.push_back(std::move(name));
    kept_.push_back(std::move(turn));
  }
};

TEST_F(TurnsTest, AreHadAtOnceWhileThereAreAny) {
  ask("a");
  ask("b");
  EXPECT_THAT(order_, ElementsAre("a", "b"));
  EXPECT_FALSE(turns_->try_take().has_value());
  end_oldest();
  EXPECT_TRUE(turns_->try_take().has_value());
}

TEST_F(TurnsTest, ComeInTheOrderOfRequests) {
  for (const char* const name : {"a", "b", "c", "d", "e"}) {
    ask(name);
  }
  EXPECT_THAT(order_, ElementsAre("a", "b"));
  end_oldest();
  EXPECT_THAT(order_, ElementsAre("a", "b", "c"));
  EXPECT_FALSE(turns_->try_take().has_value()) << "somebody jumped the queue";
  end_oldest();
  end_oldest();
  EXPECT_THAT(order_, ElementsAre("a", "b", "c", "d", "e"));
}

TEST_F(TurnsTest, MarkAllWaitingAsHeldOnceOneIs) {
  ask("a");
  ask("b");
  const auto c = ask("c");
  EXPECT_FALSE(c->held()) << "it only waits its turn";
  kept_[0]->hold();
  EXPECT_TRUE(c->held());
  const auto d = ask("d");
  EXPECT_TRUE(d->held()) << "it came later, and waits for the same";
  kept_.erase(kept_.begin() + 1);
  run();
  EXPECT_THAT(order_, ElementsAre("a", "b", "c"));
  EXPECT_FALSE(c->held()) << "it has its turn";
  EXPECT_TRUE(d->held());
  end_oldest();
  EXPECT_FALSE(d->held());
  EXPECT_FALSE(ask("e")->held()) << "nobody is held any more";
}

TEST_F(TurnsTest, CanBeMoved) {
  ask("a");
  ask("b");
  kept_[0]->hold();
  std::optional<Turns::Turn> moved(std::move(*kept_[0]));
  kept_.clear();
  EXPECT_TRUE(turns_->try_take().has_value()) << "b's";
  const auto c = ask("c");
  const auto d = ask("d");
  EXPECT_TRUE(d->held());
  moved.reset();
  run();
  EXPECT_THAT(order_, ElementsAre("a", "b", "c", "d"));
}

TEST(AbandonedTurns, AreGivenUpWithTheirContext) {
  const auto alive = record();
  {
    asio::io_context context;
    const auto turns = std::make_shared<Turns>(context.get_executor(), 1);
    const auto first = turns->try_take();
    asio::co_spawn(context, take_and_end(*turns, alive), asio::detached);
    context.poll();
    EXPECT_EQ(alive.use_count(), 2);
  }
  EXPECT_EQ(alive.use_count(), 1) << "whoever waited is still there";
}

/// What sessions on many threads have in common.
struct Crowd {
  static constexpr std::size_t count = 3;
  static constexpr int rounds = 200;

  asio::thread_pool pool{4};
  std::shared_ptr<Turns> turns = std::make_shared<Turns>(pool.get_executor(), count);
  std::atomic<std::size_t> at_once = 0;
  std::atomic<bool> too_many = false;
  std::atomic<int> had = 0;
};

asio::awaitable<void> take_turns(Crowd& crowd) {
  for (int round = 0; round < Crowd::rounds; ++round) {
    const Turns::Turn turn = co_await take(*crowd.turns, record());
    if (++crowd.at_once > Crowd::count) {
      crowd.too_many = true;
    }
    co_await asio::post(crowd.pool, asio::use_awaitable);
    --crowd.at_once;
    ++crowd.had;
  }
}

TEST(ManyThreads, NeverHaveMoreTurnsThanThereAre) {
  constexpr int sessions = 50;
  Crowd crowd;
  std::vector<std::future<void>> done;
  done.reserve(sessions);
  for (int i = 0; i < sessions; ++i) {
    done.push_back(asio::co_spawn(crowd.pool, take_turns(crowd), asio::use_future));
  }
  for (std::future<void>& each : done) {
    each.get();
  }
  EXPECT_FALSE(crowd.too_many);
  EXPECT_EQ(crowd.had, sessions * Crowd::rounds);
}

}  // namespace
}  // namespace meridian::test
