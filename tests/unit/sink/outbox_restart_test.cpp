// What an outbox leaves to the one after it.
#include "unit/sink/outbox_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace sink;

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(OutboxTest, UntouchedBatchesAreNoAttempts) {
  Outbox outbox = make();
  outbox.add(run_at(1, {7, 1}, 0, 3));
  EXPECT_THAT(outbox.attempts(), IsEmpty());
  outbox.refused(outbox.next(now)->ticket, now, Outbox::Fate::unknown);
  outbox.add(run_at(4, {7, 1}, 3, 3));
  EXPECT_THAT(outbox.attempts(), ElementsAre(Attempt{{7, 1}, {{1, 3}}, 3, 0xE}))
      << "what was refused may be stored";
}

/// An outbox that has had the places from 1 on, and what takes up what it had not delivered.
Resumed resumed_from(const Outbox& before, std::vector<BufferedBatch> batches) {
  return {.attempts = before.attempts(), .batches = std::move(batches)};
}

std::vector<BufferedBatch> one_batch(BufferedBatch batch) {
  std::vector<BufferedBatch> batches;
  batches.push_back(std::move(batch));
  return batches;
}

TEST_F(OutboxTest, StateRestoredTwiceYieldsDifferentIds) {
  const Outbox before = make();
  std::set<std::string> ids;
  for (const std::uint64_t epoch : {0xAU, 0xBU}) {
    Outbox outbox = make_next(epoch);
    std::ignore = outbox.resume(resumed_from(before, {}));
    outbox.add(run_at(1, {7, 1}, 100 * epoch, 3));
    ids.insert(outbox.next(now)->message->id);
  }
  EXPECT_EQ(ids.size(), 2U);
}

TEST_F(OutboxTest, TriedMessageKeepsItsIdOverRestarts) {
  Outbox before = make();
  before.add(run_at(1, {7, 1}, 0, 3));
  const std::string id = before.next(now)->message->id;
  Outbox second = make_next(0xA);
  std::ignore = second.resume(resumed_from(before, one_batch(run_at(1, {7, 1}, 0, 3))));
  Outbox third = make_next(0xB);  // the second was stopped before it could try
  std::ignore = third.resume(resumed_from(second, one_batch(run_at(1, {7, 1}, 0, 3))));
  const auto again = third.next(now).value();
  EXPECT_EQ(again.message->id, id);
  EXPECT_TRUE(again.may_be_stored);
  EXPECT_GT(again.tries, 1U);
}

TEST_F(OutboxTest, UntriedMessageGetsTheNextEpochsId) {
  Outbox before = make(2 * outbox_frame_bytes, 2 * outbox_frame_bytes);
  before.add(run_at(1, {7, 1}, 0, 4));
  std::ignore = before.acknowledged(before.next(now)->ticket);
  ASSERT_THAT(before.attempts(), ElementsAre(Attempt{{7, 1}, {{3, 2}}, 2, 0}));
  Outbox outbox = make_next(0xA);
  std::ignore = outbox.resume(resumed_from(before, one_batch(run_at(1, {7, 1}, 0, 4))));
  const auto next = outbox.next(now).value();
  EXPECT_THAT(sequences_of(*next.message), ElementsAre(2, 3));
  EXPECT_EQ(next.tries, 1U);
  EXPECT_FALSE(next.may_be_stored);
  EXPECT_THAT(outbox.attempts(), ElementsAre(Attempt{{7, 1}, {{3, 2}}, 2, 0xA}));
}

TEST_F(OutboxTest, MayBeStoredOnceAnAnswerWasLost) {
  Outbox outbox = make();
  outbox.add(run_at(1, {7, 1}, 0, 1));
  outbox.refused(outbox.next(now)->ticket, now, Outbox::Fate::not_stored);
  const auto second = outbox.next(now).value();
  EXPECT_FALSE(second.may_be_stored);
  outbox.refused(second.ticket, now, Outbox::Fate::unknown);
  const auto third = outbox.next(now).value();
  EXPECT_TRUE(third.may_be_stored);
  outbox.refused(third.ticket, now, Outbox::Fate::not_stored);
  EXPECT_TRUE(outbox.next(now)->may_be_stored) << "that was about the third try alone";
}

TEST_F(OutboxTest, RenamedMessageIsNewAndKeepsItsId) {
  Outbox outbox = make();
  outbox.add(run_at(1, {7, 1}, 0, 2));
  const auto first = outbox.next(now).value();
  const std::string id = first.message->id;
  outbox.doubt(first.ticket, 17);
  outbox.refused(first.ticket, now, Outbox::Fate::unknown);
  const auto doubted = outbox.next(now).value();
  EXPECT_EQ(doubted.said_to_be_at, 17U);
  EXPECT_EQ(doubted.message->id, id) << "until it was looked for";
  outbox.rename(doubted.ticket, 0xC);
  const std::string renamed = outbox.message_of(doubted.ticket).id;
  EXPECT_NE(renamed, id);
  EXPECT_EQ(outbox.tries_of(doubted.ticket), 1U);
  EXPECT_FALSE(outbox.may_be_stored(doubted.ticket));
  outbox.refused(doubted.ticket, now, Outbox::Fate::unknown);

  Outbox after = make_next(0xD);
  std::ignore = after.resume(resumed_from(outbox, one_batch(run_at(1, {7, 1}, 0, 2))));
  const auto again = after.next(now).value();
  EXPECT_EQ(again.message->id, renamed);
  EXPECT_EQ(again.said_to_be_at, std::nullopt);
  EXPECT_THAT(after.acknowledged(again.ticket), ElementsAre(PlaceRange{1, 2}));
}

TEST_F(OutboxTest, ResumesTheRestOfAPartlyDrainedMessage) {
  Outbox before = make(1'000'000, 4 * outbox_frame_bytes);
  before.add(run_at(1, {7, 1}, 0, 6));
  before.add(run_at(7, {7, 1}, 6, 2));
  std::ignore = before.acknowledged(before.next(now)->ticket);
  EXPECT_THAT(sequences_of(*before.next(now)->message), ElementsAre(4, 5, 6, 7));

  Resumed resumed{.attempts = before.attempts(), .batches = {}};
  resumed.batches.push_back(run_at(7, {7, 1}, 6, 2));
  Outbox outbox = make(1'000'000, 4 * outbox_frame_bytes);
  EXPECT_THAT(outbox.resume(resumed), IsEmpty());
  EXPECT_THAT(sequences_of(*outbox.next(now)->message), ElementsAre(6, 7));
}

/// A stream that keeps a message of each id, and loses some answers; an outbox that is put away and
/// taken up again at random moments, in batches that are cut otherwise.

}  // namespace
}  // namespace meridian::test
