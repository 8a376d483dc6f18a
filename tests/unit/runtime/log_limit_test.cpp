#include "runtime/log_limit.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>

namespace meridian::test {

using namespace runtime;

namespace {

using namespace std::chrono_literals;

constexpr LogLimit::Clock::time_point start{1000h};

TEST(LogLimit, AdmitsTheFirstMessageAtOnce) {
  LogLimit limit;
  EXPECT_EQ(limit.admit(start), 0U);
}

TEST(LogLimit, AdmitsOneMessageASecondAndCountsOthers) {
  LogLimit limit;
  ASSERT_TRUE(limit.admit(start).has_value());
  EXPECT_EQ(limit.admit(start), std::nullopt);
  EXPECT_EQ(limit.admit(start + 500ms), std::nullopt);
  EXPECT_EQ(limit.admit(start + 999ms), std::nullopt);
  EXPECT_EQ(limit.admit(start + 1s), 3U);
  EXPECT_EQ(limit.admit(start + 1500ms), std::nullopt);
  EXPECT_EQ(limit.admit(start + 10s), 1U);
}

TEST(LogLimit, CountsAnewAfterEachMessage) {
  LogLimit limit;
  ASSERT_TRUE(limit.admit(start).has_value());
  ASSERT_FALSE(limit.admit(start).has_value());
  EXPECT_EQ(limit.admit(start + 1s), 1U);
  EXPECT_EQ(limit.admit(start + 2s), 0U);
}

TEST(LogLimit, IsNotExtendedByMessagesHeldBack) {
  LogLimit limit;
  int admitted = 0;
  for (int i = 0; i < 100; ++i) {  // ten seconds of a message every 100 ms
    admitted += limit.admit(start + i * 100ms) ? 1 : 0;
  }
  EXPECT_EQ(admitted, 10);
}

TEST(LogLimit, HoldsEachConditionBackByItself) {
  LogLimit one;
  LogLimit other;
  ASSERT_TRUE(one.admit(start).has_value());
  EXPECT_EQ(other.admit(start), 0U);
}

}  // namespace
}  // namespace meridian::test
