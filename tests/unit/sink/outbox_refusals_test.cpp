// Messages that were refused, or whose answer was lost.
#include "unit/sink/outbox_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace meridian::test {

using namespace sink;

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

TEST_F(OutboxTest, TriesTheSameMessageAgainAfterItsPause) {
  Outbox outbox = make();
  outbox.add(run_at(1, {7, 1}, 0, 3));
  const auto first = outbox.next(now).value();
  const std::string id = first.message->id;
  outbox.add(run_at(4, {7, 1}, 3, 3));
  outbox.refused(first.ticket, now + 1s, Outbox::Fate::unknown);
  EXPECT_EQ(outbox.next_retry(), now + 1s);
  EXPECT_FALSE(outbox.next(now + 999ms).has_value());
  const auto again = outbox.next(now + 1s).value();
  EXPECT_EQ(again.tries, 2U);
  EXPECT_NE(again.ticket, first.ticket);
  EXPECT_EQ(again.message->id, id);
  EXPECT_THAT(sequences_of(*again.message), ElementsAre(0, 1, 2)) << "and nothing that came since";
  EXPECT_EQ(outbox.next_retry(), std::nullopt);
}

TEST_F(OutboxTest, KnowsWhetherWhatWasRefusedHasArrived) {
  Outbox outbox = make();
  outbox.add(run_at(1, {7, 1}, 0, 1));
  outbox.add(run_at(2, {8, 1}, 0, 1));
  const auto first = outbox.next(now).value();
  const auto second = outbox.next(now).value();
  EXPECT_FALSE(outbox.anything_refused());
  outbox.refused(first.ticket, now, Outbox::Fate::unknown);
  std::ignore = outbox.acknowledged(second.ticket);
  EXPECT_TRUE(outbox.anything_refused());
  const auto again = outbox.next(now).value();
  EXPECT_TRUE(outbox.anything_refused()) << "it is on its way only";
  outbox.refused(again.ticket, now, Outbox::Fate::unknown);
  std::ignore = outbox.acknowledged(outbox.next(now)->ticket);
  EXPECT_FALSE(outbox.anything_refused());
}

TEST_F(OutboxTest, RefusalLastsUntilAllSmallerMessagesArrive) {
  Outbox outbox = make();
  outbox.add(run_at(1, {7, 1}, 0, 4));
  outbox.refused_as_too_large(outbox.next(now)->ticket, now);
  std::ignore = outbox.acknowledged(outbox.next(now)->ticket);
  EXPECT_TRUE(outbox.anything_refused());
  std::ignore = outbox.acknowledged(outbox.next(now)->ticket);
  EXPECT_FALSE(outbox.anything_refused());
}

TEST_F(OutboxTest, OtherFramesAtThatPlaceHaveAnotherId) {
  Outbox all = make(1'000'000, 3 * outbox_frame_bytes);
  all.add(run_at(1, {7, 1}, 0, 1));
  all.add(run_at(2, {7, 1}, 1, 1));
  Outbox without_the_middle = make(1'000'000, 3 * outbox_frame_bytes);
  without_the_middle.add(run_at(1, {7, 1}, 0, 1));
  without_the_middle.add(run_at(3, {7, 1}, 2, 1));
  EXPECT_NE(all.next(now)->message->id, without_the_middle.next(now)->message->id);
}

TEST_F(OutboxTest, TriesAtOnceWhereItIsTold) {
  Outbox outbox = make();
  outbox.add(run_at(1, {7, 1}, 0, 3));
  outbox.refused(outbox.next(now)->ticket, now + 1h, Outbox::Fate::unknown);
  outbox.retry_now();
  EXPECT_TRUE(outbox.next(now).has_value());
}

TEST_F(OutboxTest, DividesMessagesUntilTheyAreSmallEnough) {
  Outbox outbox = make();
  outbox.add(run_at(1, {7, 1}, 0, 8));
  outbox.add(run_at(9, {7, 1}, 8, 1));
  std::vector<std::uint64_t> stored;
  std::vector<PlaceRange> done;
  while (const auto next = outbox.next(now)) {
    if (next->message->frames > 2) {
      outbox.refused_as_too_large(next->ticket, now);
      continue;
    }
    std::ranges::copy(sequences_of(*next->message), std::back_inserter(stored));
    std::ranges::copy(outbox.acknowledged(next->ticket), std::back_inserter(done));
  }
  EXPECT_THAT(stored, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_THAT(done, ElementsAre(PlaceRange{1, 8}, PlaceRange{9, 1}));
}

TEST_F(OutboxTest, SingleFrameThatIsTooLargeStays) {
  Outbox outbox = make();
  outbox.add(run_at(1, {7, 1}, 0, 1));
  const std::string id = outbox.next(now)->message->id;
  outbox.refused_as_too_large(1, now + 1s);
  EXPECT_EQ(outbox.next(now + 1s)->message->id, id);
}

}  // namespace
}  // namespace meridian::test
