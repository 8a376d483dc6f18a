#include "control/client_lifecycle.hpp"

#include "control/held_leases.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>

namespace meridian::test {

using namespace control;

namespace {

using namespace std::chrono_literals;

using AtTimeout = ClientLifecycle::AtTimeout;

constexpr ClientLifecycle::Clock::time_point connected{1000h};

class ClientLifecycleTest : public testing::Test {
 protected:
  HeldLeases leases_;
  ClientLifecycle client_{leases_};
};

TEST_F(ClientLifecycleTest, FollowsRequestsAndTails) {
  EXPECT_EQ(client_.state(), ClientState::starting);
  client_.wait_for_request(connected);
  EXPECT_EQ(client_.state(), ClientState::waiting);
  client_.answer();
  EXPECT_EQ(client_.state(), ClientState::answering);
  client_.watch();
  EXPECT_EQ(client_.state(), ClientState::watching);
  client_.answer();
  EXPECT_EQ(client_.state(), ClientState::answering);
  client_.wait_for_request(connected + 1s);
  EXPECT_EQ(client_.state(), ClientState::waiting);
}

TEST_F(ClientLifecycleTest, NothingComesAfterTheEnd) {
  client_.wait_for_request(connected);
  EXPECT_FALSE(client_.has_ended());
  client_.end();
  EXPECT_TRUE(client_.has_ended());
  client_.answer();
  client_.watch();
  const auto wait = client_.wait_for_request(connected + 1s);
  EXPECT_EQ(client_.state(), ClientState::ended);
  EXPECT_FALSE(client_.can_be_told());
  EXPECT_EQ(client_.idle_time_to_give_way(connected + 1h), std::nullopt);
  EXPECT_EQ(client_.at_timeout(wait, connected + 1h), AtTimeout::nothing);
}

TEST_F(ClientLifecycleTest, CanBeToldOnlyBetweenAnswersOrMessages) {
  EXPECT_FALSE(client_.can_be_told());
  client_.wait_for_request(connected);
  EXPECT_TRUE(client_.can_be_told());
  client_.answer();
  EXPECT_FALSE(client_.can_be_told());
  client_.watch();
  EXPECT_TRUE(client_.can_be_told());
}

TEST_F(ClientLifecycleTest, GivesWayOnceIdleForSomeSeconds) {
  client_.wait_for_request(connected);
  EXPECT_EQ(client_.idle_time_to_give_way(connected + 4999ms), std::nullopt);
  EXPECT_EQ(client_.idle_time_to_give_way(connected + 5s), 5s);
  EXPECT_EQ(client_.idle_time_to_give_way(connected + 7900ms), 7s);
  client_.answer();
  client_.wait_for_request(connected + 10s);
  EXPECT_EQ(client_.idle_time_to_give_way(connected + 14s), std::nullopt)
      << "a request begins a new wait";
  EXPECT_EQ(client_.idle_time_to_give_way(connected + 15s), 5s);
}

TEST_F(ClientLifecycleTest, DoesNotGiveWayWhileAnsweredOrWatching) {
  EXPECT_EQ(client_.idle_time_to_give_way(connected + 1h), std::nullopt);
  client_.wait_for_request(connected);
  client_.answer();
  EXPECT_EQ(client_.idle_time_to_give_way(connected + 1h), std::nullopt);
  client_.watch();
  EXPECT_EQ(client_.idle_time_to_give_way(connected + 1h), std::nullopt);
}

TEST_F(ClientLifecycleTest, DoesNotGiveWayWithALease) {
  leases_.add(7, connected + 30s);
  client_.wait_for_request(connected);
  EXPECT_EQ(client_.idle_time_to_give_way(connected + 29s), std::nullopt);
  EXPECT_EQ(client_.idle_time_to_give_way(connected + 30s), 30s) << "the lease has expired";
}

TEST_F(ClientLifecycleTest, AnIdleTimeoutSparesAHolderOfLeases) {
  const auto wait = client_.wait_for_request(connected);
  EXPECT_EQ(client_.at_timeout(wait, connected + 60s), AtTimeout::cut_off);
  leases_.add(7, connected + 90s);
  EXPECT_EQ(client_.at_timeout(wait, connected + 60s), AtTimeout::wait_longer);
  EXPECT_EQ(client_.at_timeout(wait, connected + 90s), AtTimeout::cut_off);
}

TEST_F(ClientLifecycleTest, AnEarlierTimeoutConcernsNoLaterWait) {
  const auto first = client_.wait_for_request(connected);
  client_.answer();
  EXPECT_EQ(client_.at_timeout(first, connected + 60s), AtTimeout::nothing);
  const auto second = client_.wait_for_request(connected + 60s);
  EXPECT_EQ(client_.at_timeout(first, connected + 60s), AtTimeout::nothing);
  EXPECT_EQ(client_.at_timeout(second, connected + 120s), AtTimeout::cut_off);
}

}  // namespace
}  // namespace meridian::test
