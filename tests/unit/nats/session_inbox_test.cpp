#include "nats/session_inbox.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

namespace meridian::test {

using namespace nats;

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

TEST(SessionInbox, LossWatcherIsToldOnceOrRefused) {
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
  inbox.ask([](Session&) {});
  EXPECT_TRUE(inbox.next({}).has_value());
  inbox.ask([](Session&) {});
  inbox.lose(gone);
  EXPECT_FALSE(inbox.next({}).has_value());
}

TEST(SessionInbox, UndoneJobsEndWithTheSession) {
  SessionInbox inbox;
  const auto before = std::make_shared<int>();
  const auto after = std::make_shared<int>();
  inbox.ask([before](Session&) {});
  inbox.lose(gone);
  inbox.ask([after](Session&) {});
  EXPECT_EQ(before.use_count(), 1);
  EXPECT_EQ(after.use_count(), 1);
}

TEST(SessionInbox, ReportsAViolationThatExplainsASilence) {
  SessionInbox inbox;
  EXPECT_EQ(inbox.violation_about("meridian.7.1"), "");
  const std::string publish = R"(Permissions Violation for Publish to "meridian.7.1")";
  inbox.set_violation(publish);
  EXPECT_EQ(inbox.violation_about("meridian.7.1"), publish);
  EXPECT_EQ(inbox.violation_about("meridian.7"), "");
  const std::string answers = R"(Permissions Violation for Subscription to "_INBOX.Xy.*")";
  inbox.set_violation(answers);
  EXPECT_EQ(inbox.violation_about("meridian.7"), answers);
}

TEST(SessionInbox, ForgetsAViolationOnceItsSubjectIsAnswered) {
  SessionInbox inbox;
  const std::string publish = R"(Permissions Violation for Publish to "meridian.7.1")";
  inbox.set_violation(publish);
  inbox.forget_violation_about("meridian.7.2");
  EXPECT_EQ(inbox.violation_about("meridian.7.1"), publish) << "another subject was answered";
  inbox.forget_violation_about("meridian.7.1");
  EXPECT_EQ(inbox.violation_about("meridian.7.1"), "");
  inbox.set_violation(R"(Permissions Violation for Subscription to "_INBOX.Xy.*")");
  inbox.forget_violation_about("meridian.7.2");
  EXPECT_EQ(inbox.violation_about("meridian.7.1"), "") << "answers come after all";
}

TEST(SessionInbox, ALossWakesWhoWaitsForAJob) {
  SessionInbox inbox;
  const std::jthread waiting([&] { EXPECT_FALSE(inbox.next({}).has_value()); });
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
}  // namespace meridian::test
