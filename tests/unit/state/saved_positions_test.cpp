// Places of frames, positions of consumers and their attempts come back from a saved state.
#include "state/bodies.hpp"
#include "state/mark.hpp"
#include "unit/state/saved_samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace meridian::test {

using namespace state;

namespace {

using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;

TEST(SavedState, KeepsPlacesAndPositions) {
  SavedState saved = test::sample_state();
  saved.frames[0].place = 100;
  saved.frames[1].place = 200;
  saved.frames[2].place = 300;
  saved.ledger->delivered = 7;
  saved.positions = SavedPositions{
      .epoch = 0x0123456789ABCDEF,
      .next_place = 302,
      .consumers = {
          {.name = "archive",
           .next_place = 300,
           .unread = {{.first = 100, .frames = 2}, {.first = 201, .frames = 1}},
           .attempts = {{.origin = {2, 0},
                         .ranges = {{.first = 200, .frames = 1}},
                         .frames = 4,
                         .epoch = 0xFEDCBA9876543210},
                        {.origin = {2, 0}, .ranges = {{.first = 201, .frames = 1}}, .frames = 1}}},
          {.name = "", .next_place = 0, .unread = {}, .attempts = {}}}};
  const Restored restored = test::read_back(test::written(saved));
  EXPECT_TRUE(restored.is_whole);
  EXPECT_EQ(restored.saved.positions, saved.positions);
  EXPECT_EQ(restored.saved.ledger->delivered, 7U);
  ASSERT_THAT(restored.saved.frames, SizeIs(3));
  EXPECT_EQ(restored.saved.frames[1].place, 200U);
}

TEST(SavedState, AttemptsInOlderFilesHaveTheirPlacesEpoch) {
  const ConsumerPart part{
      .consumer = {.name = "archive",
                   .next_place = 300,
                   .unread = {},
                   .attempts = {{.origin = {2, 0}, .ranges = {{1, 1}}, .frames = 1, .epoch = 5},
                                {.origin = {3, 0}, .ranges = {{2, 1}}, .frames = 1}}}};
  Body body = encode(part);
  constexpr std::uint64_t older_epoch = 7;
  const auto whole = decode_consumer(body, older_epoch);
  ASSERT_TRUE(whole.has_value());
  EXPECT_EQ(whole->consumer, part.consumer);
  body.resize(body.size() - 2 * sizeof(std::uint64_t));  // which did not have them
  const auto older = decode_consumer(body, older_epoch);
  ASSERT_TRUE(older.has_value());
  for (const Attempt& attempt : older->consumer.attempts) {
    EXPECT_EQ(attempt.epoch, older_epoch);
  }
  body.resize(body.size() - 1);
  EXPECT_FALSE(decode_consumer(body, older_epoch).has_value());
}

TEST(SavedState, KeepsPlacesOfFramesAfterADamagedOne) {
  SavedState saved;
  saved.frames.push_back({50, test::batch_of_run({1, 1}, 0, 5, 10, test::stamp_at(1))});
  Octets octets = test::written(saved);
  const auto damaged = std::ranges::search(octets, test::sample_payload(10, 2));
  ASSERT_FALSE(damaged.empty());
  damaged.front() ^= std::byte{1};
  const Restored restored = test::read_back(octets);
  ASSERT_THAT(restored.saved.frames, SizeIs(2));
  EXPECT_EQ(restored.saved.frames[0].places(), (PlaceRange{50, 2}));
  EXPECT_EQ(restored.saved.frames[1].places(), (PlaceRange{53, 2}));
}

/// A position with so many ranges and attempts that it takes several marks.
SavedState ragged_state() {
  SavedConsumer ragged{.name = "a", .next_place = 1'000'000, .unread = {}, .attempts = {}};
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    ragged.unread.push_back({.first = 10 + 2 * i, .frames = 1});
    ragged.attempts.push_back(
        {.origin = {7, 1}, .ranges = {{.first = 11 + 2 * i, .frames = 1}}, .frames = 1});
  }
  SavedState saved;
  saved.positions = SavedPositions{
      .epoch = 1,
      .next_place = 2,
      .consumers = {ragged, {.name = "b", .next_place = 5, .unread = {}, .attempts = {}}}};
  return saved;
}

TEST(SavedState, KeepsAPositionThatTakesSeveralMarks) {
  const SavedState saved = ragged_state();
  const Octets octets = test::written(saved);
  EXPECT_GT(octets.size(), 2 * max_mark_bytes);
  const Restored restored = test::read_back(octets);
  EXPECT_TRUE(restored.is_whole);
  EXPECT_EQ(restored.saved.positions, saved.positions);
}

TEST(SavedState, DropsAPositionWithADamagedPart) {
  const Octets octets = test::written(ragged_state());
  for (const std::size_t at : {max_mark_bytes / 2, max_mark_bytes * 3 / 2, max_mark_bytes * 4}) {
    Octets damaged = octets;
    damaged.at(at) ^= std::byte{1};
    const Restored restored = test::read_back(damaged);
    EXPECT_FALSE(restored.is_whole);
    ASSERT_TRUE(restored.saved.positions.has_value());
    EXPECT_THAT(restored.saved.positions->consumers, ElementsAre(Field(&SavedConsumer::name, "b")))
        << "rather repeats all than misses some";
  }
}

TEST(SavedState, OversizedAttemptRepeatsRatherThanLoses) {
  SavedConsumer consumer{.name = "a", .next_place = 1'000'000, .unread = {}, .attempts = {}};
  Attempt& attempt = consumer.attempts.emplace_back();
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    attempt.ranges.push_back({.first = 10 + 2 * i, .frames = 1});
  }
  SavedState saved;
  saved.positions = SavedPositions{.epoch = 1, .next_place = 2, .consumers = {consumer}};
  const Restored restored = test::read_back(test::written(saved));
  ASSERT_TRUE(restored.saved.positions.has_value());
  EXPECT_EQ(restored.saved.positions->consumers.at(0).next_place, 10U);
  EXPECT_THAT(restored.saved.positions->consumers.at(0).attempts, IsEmpty());
}

}  // namespace
}  // namespace meridian::test
