#include "sink/schedule.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <stdexcept>

namespace meridian::test {

using namespace sink;

namespace {

using namespace std::chrono_literals;
using State = Schedule::State;

constexpr Origin a{1, 1};
constexpr Origin b{1, 2};
constexpr Origin c{2, 1};

class ScheduleTest : public testing::Test {
 protected:
  static Schedule::Clock::time_point at(std::chrono::seconds time) {
    return Schedule::Clock::time_point(time);
  }
  /// Sends for the origin whose turn it is, which must be that one.
  Ticket send(const Origin& expected, std::chrono::seconds now = 0s) {
    EXPECT_EQ(schedule_.front(at(now)), expected);
    const Ticket ticket = schedule_.send_front();
    EXPECT_EQ(schedule_.origin_of(ticket), expected);
    return ticket;
  }

  Schedule schedule_;
};

TEST_F(ScheduleTest, TakesTurnsInTheOrderOfComing) {
  for (const Origin& origin : {b, a, c}) {
    EXPECT_EQ(schedule_.state_of(origin), State::idle);
    schedule_.make_ready(origin);
    EXPECT_EQ(schedule_.state_of(origin), State::ready);
  }
  send(b);
  send(a);
  send(c);
  EXPECT_EQ(schedule_.front(at(0s)), std::nullopt);
  EXPECT_EQ(schedule_.in_flight(), 3U);
}

TEST_F(ScheduleTest, OriginThatHasSentWaitsForItsAnswer) {
  schedule_.make_ready(a);
  const Ticket ticket = send(a);
  EXPECT_EQ(schedule_.state_of(a), State::in_flight);
  EXPECT_THROW(schedule_.make_ready(a), std::logic_error);
  schedule_.settle(ticket);
  EXPECT_EQ(schedule_.state_of(a), State::idle);
  EXPECT_EQ(schedule_.in_flight(), 0U);
  schedule_.make_ready(a);
  EXPECT_NE(send(a), ticket) << "no ticket is used twice";
}

TEST_F(ScheduleTest, ARefusedOriginWaitsForItsTime) {
  schedule_.make_ready(a);
  schedule_.make_ready(b);
  schedule_.refuse(send(a), at(10s));
  EXPECT_EQ(schedule_.state_of(a), State::refused);
  EXPECT_EQ(schedule_.next_retry(), at(10s));
  send(b, 9s);
  EXPECT_EQ(schedule_.front(at(9s)), std::nullopt);
  send(a, 10s);
  EXPECT_EQ(schedule_.next_retry(), std::nullopt);
}

TEST_F(ScheduleTest, RefusedOriginsComeBackByTheirTimes) {
  for (const Origin& origin : {a, b, c}) {
    schedule_.make_ready(origin);
  }
  schedule_.refuse(send(a), at(30s));
  schedule_.refuse(send(b), at(10s));
  EXPECT_EQ(schedule_.next_retry(), at(10s));
  schedule_.retry_now();
  EXPECT_EQ(schedule_.next_retry(), std::nullopt);
  send(c);
  send(b);
  send(a);
}

TEST_F(ScheduleTest, AnAnswerCountsOnce) {
  schedule_.make_ready(a);
  const Ticket ticket = send(a);
  schedule_.settle(ticket);
  EXPECT_THROW(schedule_.settle(ticket), std::out_of_range);
  EXPECT_THROW(schedule_.refuse(ticket, at(0s)), std::out_of_range);
  EXPECT_EQ(schedule_.next_retry(), std::nullopt);
}

TEST_F(ScheduleTest, UndoesWhatWasMadeReadyLast) {
  schedule_.make_ready(a);
  const std::size_t before = schedule_.ready();
  schedule_.make_ready(b);
  schedule_.make_ready(c);
  schedule_.keep_ready(before);
  EXPECT_EQ(schedule_.state_of(b), State::idle);
  EXPECT_EQ(schedule_.state_of(c), State::idle);
  send(a);
  schedule_.make_ready(c);
  send(c);
}

}  // namespace
}  // namespace meridian::test
