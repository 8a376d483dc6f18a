#include "sink/session_inbox.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <stop_token>
#include <thread>

namespace meridian::sink {
namespace {

const Rejection gone{Refusal::unreachable, "gone"};
const Rejection refused{Refusal::authorization, "refused"};

TEST(SessionInbox, TheFirstReasonForALossCounts) {
  SessionInbox inbox;
  EXPECT_EQ(inbox.lost(), std::nullopt);
  inbox.lose(refused);
  inbox.lose(gone);
  EXPECT_EQ(inbox.lost(), refused);
}

TEST(SessionInbox, WhoWaitsForALossIsToldOnceOrNotTakenIn) {
  SessionInbox inbox;
  int told = 0;
  EXPECT_TRUE(inbox.notify([&](const Rejection&) { ++told; }));
  inbox.lose(gone);
  EXPECT_FALSE(inbox.notify([&](const Rejection&) { ++told; }));
  for (const auto& watcher : inbox.take_watchers()) {
    watcher(gone);
  }
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(inbox.take_watchers().empty());
}

TEST(SessionInbox, JobsComeUntilTheLoss) {
  SessionInbox inbox;
  inbox.ask([](NatsSession&) {});
  EXPECT_TRUE(inbox.next({}).has_value());
  inbox.ask([](NatsSession&) {});
  inbox.lose(gone);
  EXPECT_FALSE(inbox.next({}).has_value());
}

TEST(SessionInbox, ALossWakesWhoWaitsForAJob) {
  SessionInbox inbox;
  std::jthread waiting([&] { EXPECT_FALSE(inbox.next({}).has_value()); });
  inbox.lose(gone);
}

TEST(SessionInbox, AStopIsALoss) {
  SessionInbox inbox;
  std::stop_source stop;
  std::jthread waiting([&] { EXPECT_FALSE(inbox.next(stop.get_token()).has_value()); });
  stop.request_stop();
  waiting.join();
  EXPECT_EQ(inbox.lost()->refusal, Refusal::unreachable);
  EXPECT_FALSE(inbox.notify([](const Rejection&) {}));
}

}  // namespace
}  // namespace meridian::sink
