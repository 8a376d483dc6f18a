#include "sink/jetstream/stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>

namespace meridian::test {

using namespace sink;
using namespace sink::jetstream;

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using namespace std::chrono_literals;

constexpr std::size_t batch = 1000;

StreamSettings safe_settings() {
  return {.subjects = {"meridian.*.*"}, .max_bytes = 1'000'000};
}

TEST(StreamSettings, OfAStreamThatIsCreatedAreSafe) {
  EXPECT_THAT(find_unsafe(safe_settings(), batch, batch), IsEmpty());
}

struct Danger {
  std::function<void(StreamSettings&)> change;
  std::string said;
};

class Dangers : public testing::TestWithParam<Danger> {};

TEST_P(Dangers, AreSaid) {
  StreamSettings settings = safe_settings();
  GetParam().change(settings);
  EXPECT_THAT(find_unsafe(settings, batch, batch), ElementsAre(HasSubstr(GetParam().said)));
}

INSTANTIATE_TEST_SUITE_P(
    Each, Dangers,
    testing::Values(
        Danger{[](StreamSettings& s) { s.replicas = 1; }, "1 replica(s)"},
        Danger{[](StreamSettings& s) { s.replicas = 2; }, "2 replica(s)"},
        Danger{[](StreamSettings& s) { s.storage = Storage::memory; }, "in memory"},
        Danger{[](StreamSettings& s) { s.retention = Retention::work_queue; },
               "consumer has acknowledged"},
        Danger{[](StreamSettings& s) { s.duplicate_window = 119s; }, "duplicate window is 119 s"},
        Danger{[](StreamSettings& s) { s.discard = Discard::oldest; }, "discards the oldest"},
        Danger{[](StreamSettings& s) { s.max_messages_per_subject = 5; },
               "keeps 5 message(s) per subject"},
        Danger{[](StreamSettings& s) { s.retention = Retention::interest; }, "consumer"},
        Danger{[](StreamSettings& s) { s.acknowledges = false; }, "no acknowledgements"},
        Danger{[](StreamSettings& s) { s.writes_first = false; }, "persist_mode async"},
        Danger{[](StreamSettings& s) { s.sealed = true; }, "sealed"}));

TEST(StreamSettings, MayDiscardTheOldestWithoutALimit) {
  StreamSettings settings = safe_settings();
  settings.discard = Discard::oldest;
  settings.max_bytes.reset();
  EXPECT_THAT(find_unsafe(settings, batch, batch), IsEmpty());
}

TEST(StreamSettings, TellWhetherTheStreamRemovesMessages) {
  EXPECT_FALSE(removes_messages(safe_settings()));
  StreamSettings settings = safe_settings();
  settings.discard = Discard::oldest;
  EXPECT_TRUE(removes_messages(settings));
  settings.max_bytes.reset();
  EXPECT_FALSE(removes_messages(settings));
  settings.retention = Retention::work_queue;
  EXPECT_TRUE(removes_messages(settings));
  settings = safe_settings();
  settings.max_messages_per_subject = 5;
  EXPECT_TRUE(removes_messages(settings)) << "of a subject, although new ones are discarded";
  settings.discards_newest_of_subject = true;
  EXPECT_FALSE(removes_messages(settings));
}

TEST(StreamSettings, DecideWhetherAnAbsentMessageMayHaveExisted) {
  StreamSettings settings = safe_settings();
  constexpr StreamState state{.first = 10, .last = 20, .last_of_subject = 15};
  EXPECT_FALSE(can_have_removed(settings, state, 9)) << "it removes nothing";
  settings.discard = Discard::oldest;
  EXPECT_TRUE(can_have_removed(settings, state, 9));
  EXPECT_FALSE(can_have_removed(settings, state, 10)) << "it is not full that far";
  EXPECT_FALSE(can_have_removed(settings, state, 21)) << "it never had so many";
  settings.max_messages_per_subject = 1;
  EXPECT_TRUE(can_have_removed(settings, state, 9));
  EXPECT_TRUE(can_have_removed(settings, state, 14));
  EXPECT_FALSE(can_have_removed(settings, state, 15)) << "the last one of a subject stays";
  settings.max_bytes.reset();
  EXPECT_TRUE(can_have_removed(settings, state, 9));
  EXPECT_FALSE(can_have_removed(settings, {.first = 10, .last = 20}, 9)) << "of no such subject";
}

TEST(StreamSettings, ReadersMayHaveRemovedAnythingThatWasThere) {
  StreamSettings settings = safe_settings();
  constexpr StreamState state{.first = 21, .last = 20};
  for (const Retention retention : {Retention::interest, Retention::work_queue}) {
    settings.retention = retention;
    EXPECT_TRUE(can_have_removed(settings, state, 1));
    EXPECT_TRUE(can_have_removed(settings, state, 20));
    EXPECT_FALSE(can_have_removed(settings, state, 21));
  }
}

TEST(StreamSettings, MessagesThatDoNotFitAreSaid) {
  EXPECT_THAT(find_unsafe(safe_settings(), batch - 1, batch),
              ElementsAre(HasSubstr("999 bytes of payload, but batch_max_bytes is 1000")));
}

TEST(StreamSettings, DifferencesAreNamedWithBothSides) {
  StreamSettings there = safe_settings();
  there.replicas = 1;
  there.duplicate_window = 30s;
  there.max_bytes.reset();
  EXPECT_THAT(find_differences(there, safe_settings()),
              ElementsAre("replicas: 1, asked for 3", "duplicate window: 30 s, asked for 120 s",
                          "maximum bytes: none, asked for 1000000"));
  EXPECT_THAT(find_differences(there, there), IsEmpty());
}

}  // namespace
}  // namespace meridian::test
