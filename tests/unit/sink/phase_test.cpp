#include "sink/phase.hpp"

#include <gtest/gtest.h>

namespace meridian::test {

using namespace sink;

namespace {

using Name = Phase::Name;

Phase publishing() {
  Phase phase;
  phase.found_fit();
  return phase;
}

TEST(Phase, BeginsUnreadyAndPublishesOnceFit) {
  Phase phase;
  EXPECT_EQ(phase.name(), Name::unready);
  EXPECT_FALSE(phase.may_publish());
  EXPECT_FALSE(phase.is_answered());
  phase.found_fit();
  EXPECT_EQ(phase.name(), Name::publishing);
  EXPECT_TRUE(phase.may_publish());
  EXPECT_TRUE(phase.is_answered());
  EXPECT_FALSE(phase.is_stopping());
}

TEST(Phase, ComesAndGoesWithTheConnection) {
  Phase phase = publishing();
  phase.found_unfit();
  EXPECT_EQ(phase.name(), Name::unready);
  phase.found_unfit();
  EXPECT_EQ(phase.name(), Name::unready);
  phase.found_fit();
  EXPECT_EQ(phase.name(), Name::publishing);
}

TEST(Phase, WaitsForAnswersAtAStop) {
  Phase phase = publishing();
  phase.stop();
  EXPECT_EQ(phase.name(), Name::last_answers);
  EXPECT_FALSE(phase.may_publish());
  EXPECT_TRUE(phase.is_answered());
  EXPECT_TRUE(phase.is_stopping());
  phase.stop_waiting();
  EXPECT_EQ(phase.name(), Name::leaving);
  EXPECT_FALSE(phase.is_answered());
}

TEST(Phase, LeavesAtOnceWithoutAConnection) {
  Phase never_ready;
  never_ready.stop();
  EXPECT_EQ(never_ready.name(), Name::leaving);
  Phase loses_it = publishing();
  loses_it.stop();
  loses_it.found_unfit();
  EXPECT_EQ(loses_it.name(), Name::leaving);
}

TEST(Phase, NeverComesBackFromAStop) {
  Phase phase = publishing();
  phase.stop();
  phase.found_fit();
  EXPECT_EQ(phase.name(), Name::last_answers);
  phase.stop_waiting();
  phase.found_fit();
  phase.stop();
  phase.found_unfit();
  EXPECT_EQ(phase.name(), Name::leaving);
}

TEST(Phase, WaitsForNothingUnlessItStops) {
  Phase phase = publishing();
  phase.stop_waiting();
  EXPECT_EQ(phase.name(), Name::publishing);
}

}  // namespace
}  // namespace meridian::test
