#include "unit/aggregator/noting_buffer.hpp"
#include "unit/frame/frame_samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <vector>

namespace meridian::test {

using namespace aggregator;
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(FrameBuffer, KeepsItsBoundInFramesExactly) {
  Buffer buffer(limits(10, any, WhenFull::drop_oldest));
  buffer.add(0, 7);
  EXPECT_EQ(buffer->depth().frames, 7U);
  buffer.add(7, 3);
  EXPECT_EQ(buffer->depth().frames, 10U);
  EXPECT_EQ(buffer.all_dropped(), 0U);
  buffer.add(10, 5);  // splits the batch of 7
  EXPECT_EQ(buffer->depth().frames, 10U);
  EXPECT_EQ(buffer->depth().bytes, 200U);
  EXPECT_THAT(buffer.dropped(DropReason::buffer_full_oldest), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(buffer.take_sequences(), ElementsAre(5, 6, 7, 8, 9, 10, 11, 12, 13, 14));
}

TEST(FrameBuffer, KeepsItsBoundInOctetsExactly) {
  Buffer buffer(limits(any, 200, WhenFull::drop_oldest));
  buffer.add(0, 4, 30);  // 4 frames of 50
  EXPECT_EQ(buffer->depth().bytes, 200U);
  EXPECT_EQ(buffer.all_dropped(), 0U);
  buffer.add(4, 1, 31);  // 51: one dropped frame is not enough
  EXPECT_THAT(buffer.dropped(DropReason::buffer_full_oldest), ElementsAre(0, 1));
  EXPECT_EQ(buffer->depth().bytes, 151U);
  buffer.add(5, 1, 29);  // 49: fits to the octet
  EXPECT_EQ(buffer->depth().bytes, 200U);
  EXPECT_EQ(buffer.all_dropped(), 2U);
}

TEST(FrameBuffer, DropOldestKeepsTheEndOfOversizedBatches) {
  Buffer buffer(limits(3, any, WhenFull::drop_oldest));
  buffer.add(0, 2);
  buffer.add(2, 8);
  EXPECT_THAT(buffer.dropped(DropReason::buffer_full_oldest), ElementsAre(0, 1, 2, 3, 4, 5, 6));
  EXPECT_THAT(buffer.take_sequences(), ElementsAre(7, 8, 9));
}

TEST(FrameBuffer, RefusesTheNewestExactlyUnderDropNewest) {
  Buffer buffer(limits(10, any, WhenFull::drop_newest));
  buffer.add(0, 7);
  buffer.add(7, 5);  // split: three fit
  EXPECT_EQ(buffer->depth().frames, 10U);
  EXPECT_THAT(buffer.dropped(DropReason::buffer_full_newest), ElementsAre(10, 11));
  buffer.add(12, 1);
  EXPECT_THAT(buffer.dropped(DropReason::buffer_full_newest), ElementsAre(10, 11, 12));
  EXPECT_THAT(buffer.take_sequences(), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
}

TEST(FrameBuffer, KeepsItsBoundInOctetsUnderDropNewest) {
  Buffer buffer(limits(any, 100, WhenFull::drop_newest));
  buffer.add(0, 3, 20);  // 2 of 40 fit
  EXPECT_EQ(buffer->depth().bytes, 80U);
  buffer.add(3, 1, 0);  // 20 more fit to the octet
  EXPECT_EQ(buffer->depth().bytes, 100U);
  EXPECT_THAT(buffer.dropped(DropReason::buffer_full_newest), ElementsAre(2));
}

TEST(FrameBuffer, AdmitsWhatFitsUnderBackpressure) {
  Buffer buffer(limits(10, 400, WhenFull::backpressure));
  EXPECT_EQ(buffer->admits(batch_of_run({1, 1}, 0, 8)), 8U);
  EXPECT_EQ(buffer->admits(batch_of_run({1, 1}, 0, 12)), 10U);
  EXPECT_EQ(buffer->admits(batch_of_run({1, 1}, 0, 8, 80)), 4U);
  buffer.add(0, 10);
  EXPECT_EQ(buffer->admits(batch_of_run({1, 1}, 10, 1)), 0U);
  EXPECT_THAT(buffer.take_sequences(2), ElementsAre(0, 1));
  EXPECT_EQ(buffer->admits(batch_of_run({1, 1}, 10, 5)), 2U);
  EXPECT_EQ(buffer.all_dropped(), 0U);
}

TEST(FrameBuffer, AdmitsEverythingUnlessItHoldsBack) {
  for (const WhenFull policy : {WhenFull::drop_oldest, WhenFull::drop_newest}) {
    Buffer buffer(limits(2, any, policy));
    buffer.add(0, 2);
    EXPECT_EQ(buffer->admits(batch_of_run({1, 1}, 2, 5)), 5U);
  }
}

TEST(FrameBuffer, AdmitsEverythingOnceBackpressureIsReleased) {
  Buffer buffer(limits(2, any, WhenFull::backpressure));
  buffer.add(0, 2);
  buffer->release_backpressure();
  EXPECT_EQ(buffer->admits(batch_of_run({1, 1}, 2, 5)), 5U);
  buffer.add(2, 5);
  EXPECT_EQ(buffer->depth().frames, 7U);
  EXPECT_EQ(buffer.all_dropped(), 0U);
}

TEST(FrameBuffer, KeepsItsBoundsWhenNothingIsHeldBack) {
  Buffer buffer(limits(2, any, WhenFull::drop_newest));
  buffer->release_backpressure();
  buffer.add(0, 5);
  EXPECT_EQ(buffer->depth().frames, 2U);
}

// Taking --------------------------------------------------------------------------------------

TEST(FrameBufferTake, LeavesOtherSatellitesInOrder) {
  Buffer buffer(limits(any, any, WhenFull::drop_oldest));
  FrameBatchBuilder mixed;
  for (std::uint64_t sequence = 0; sequence < 8; ++sequence) {
    mixed.append(header(1 + sequence % 2, 1, sequence), {});
  }
  buffer->add(mixed.finish({}).value());
  EXPECT_THAT(buffer.take_sequences(2, 2), ElementsAre(1, 3));
  EXPECT_THAT(buffer.take_sequences(), ElementsAre(0, 2, 4, 5, 6, 7));
}

TEST(FrameBufferTake, TakesTheOldestFirstAndSplitsBatches) {
  Buffer buffer(limits(any, any, WhenFull::drop_oldest));
  buffer.add(0, 3);
  buffer.add(3, 3);
  const FrameBuffer::Taken taken = buffer.take(4);
  EXPECT_THAT(sequences_of(taken.batches), ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(taken.amount.frames, 4U);
  EXPECT_EQ(taken.amount.bytes, 80U);
  EXPECT_EQ(buffer->depth().frames, 2U);
  EXPECT_EQ(buffer->depth().bytes, 40U);
  EXPECT_THAT(buffer.take_sequences(), ElementsAre(4, 5));
  EXPECT_TRUE(buffer.take().reached_end);
}

TEST(FrameBufferTake, TakesOneSatelliteOutOfWholeBatches) {
  Buffer buffer(limits(any, any, WhenFull::drop_oldest));
  for (std::uint64_t i = 0; i < 6; ++i) {
    buffer->add(batch_of_run({static_cast<SatelliteId>(i % 2), 1}, 10 * i, 2));
  }
  EXPECT_THAT(buffer.take_sequences(3, 1), ElementsAre(10, 11, 30));
  EXPECT_THAT(buffer.take_sequences(any, 1), ElementsAre(31, 50, 51));
  EXPECT_THAT(buffer.take_sequences(any, 1), IsEmpty());
  EXPECT_THAT(buffer.take_sequences(), ElementsAre(0, 1, 20, 21, 40, 41));
  EXPECT_EQ(buffer->depth().frames, 0U);
}

TEST(FrameBufferTake, TakesOneSatelliteOutOfMixedBatches) {
  Buffer buffer(limits(any, any, WhenFull::drop_oldest));
  const std::vector<FrameHeader> first{header(1, 0, 0), header(2, 0, 1), header(1, 0, 2),
                                       header(3, 0, 3), header(1, 0, 4)};
  const std::vector<FrameHeader> second{header(2, 0, 5), header(1, 0, 6)};
  buffer->add(batch_of(first, 10, {.session = 5}));
  buffer->add(batch_of(second, 10, {.session = 5}));
  const FrameBuffer::Taken taken = buffer.take(2, 1);
  EXPECT_THAT(sequences_of(taken.batches), ElementsAre(0, 2));
  EXPECT_EQ(taken.amount.bytes, 60U);
  EXPECT_EQ(taken.batches.at(0).batch.stamp().session, 5U);
  EXPECT_EQ(buffer->depth().frames, 5U);
  EXPECT_EQ(buffer->depth().bytes, 150U);
  EXPECT_THAT(buffer.take_sequences(any, 1), ElementsAre(4, 6));
  EXPECT_THAT(buffer.take_sequences(), ElementsAre(1, 3, 5));
}

TEST(FrameBufferTake, GoesOnWhereTheStepBeforeStopped) {
  Buffer buffer(limits(any, any, WhenFull::drop_oldest));
  for (std::uint64_t i = 0; i < 10; ++i) {
    buffer->add(batch_of_run({static_cast<SatelliteId>(i % 2), 1}, i, 1, not_small));
  }
  std::vector<std::uint64_t> sequences;
  FrameBuffer::Step step{.max_frames = any, .satellite_id = 1, .max_batches = 3};
  int steps = 0;
  for (bool end = false; !end; ++steps) {
    const FrameBuffer::Taken taken = buffer->take(step);
    std::ranges::copy(sequences_of(taken.batches), std::back_inserter(sequences));
    step.from_place = taken.next_place;
    end = taken.reached_end;
  }
  EXPECT_THAT(sequences, ElementsAre(1, 3, 5, 7, 9));
  EXPECT_EQ(steps, 4) << "ten batches, three a step";
}

TEST(FrameBufferTake, LeavesWhatCameAfterTheGivenPlace) {
  Buffer buffer(limits(any, any, WhenFull::drop_oldest));
  buffer.add(0, 3);
  const std::uint64_t until = buffer->end_place();
  buffer->seal();
  buffer.add(3, 3);
  const FrameBuffer::Taken taken = buffer->take(
      {.max_frames = any, .satellite_id = std::nullopt, .until_place = until, .max_batches = any});
  EXPECT_THAT(sequences_of(taken.batches), ElementsAre(0, 1, 2));
  EXPECT_TRUE(taken.reached_end);
  EXPECT_THAT(buffer.take_sequences(), ElementsAre(3, 4, 5));
}

TEST(FrameBufferTake, SeesFramesJoinedToABatchAlreadySearched) {
  Buffer buffer(limits(any, any, WhenFull::drop_oldest));
  buffer->add(batch_of_run({2, 1}, 0, 3));
  FrameBuffer::Step step{.max_frames = any, .satellite_id = 1, .max_batches = any};
  const FrameBuffer::Taken before = buffer->take(step);
  EXPECT_EQ(before.amount.frames, 0U);
  buffer->add(batch_of_run({2, 1}, 3, 1));
  buffer->add(batch_of_run({1, 1}, 4, 2));
  step.from_place = before.next_place;
  EXPECT_THAT(sequences_of(buffer->take(step).batches), ElementsAre(4, 5));
  EXPECT_THAT(buffer.take_sequences(), ElementsAre(0, 1, 2, 3));
}

TEST(FrameBufferTake, TakesNothingForNone) {
  Buffer buffer(limits(any, any, WhenFull::drop_oldest));
  buffer.add(0, 3);
  EXPECT_THAT(buffer.take_sequences(0), IsEmpty());
  EXPECT_EQ(buffer->depth().frames, 3U);
}

// Putting back ----------------------------------------------------------------------------------

TEST(FrameBufferPutBack, RestoresTheOrder) {
  Buffer buffer(limits(any, any, WhenFull::drop_oldest));
  buffer.add(0, 4);
  buffer.add(4, 4);
  FrameBuffer::Taken taken = buffer.take(6);
  buffer.add(8, 2);
  buffer->put_back(std::move(taken.batches), FrameBuffer::KeptRoom::none);
  EXPECT_EQ(buffer->depth().frames, 10U);
  EXPECT_EQ(buffer->depth().bytes, 200U);
  EXPECT_THAT(buffer.take_sequences(), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
}

TEST(FrameBufferPutBack, RestoresWhatWasTakenFromTheMiddle) {
  Buffer buffer(limits(any, any, WhenFull::drop_oldest));
  for (std::uint64_t i = 0; i < 6; ++i) {
    buffer->add(batch_of_run({static_cast<SatelliteId>(i % 3), 1}, i, 1, not_small));
  }
  FrameBuffer::Taken ones = buffer.take(any, 1);
  FrameBuffer::Taken twos = buffer.take(any, 2);
  buffer->put_back(std::move(ones.batches), FrameBuffer::KeptRoom::none);
  buffer->put_back(std::move(twos.batches), FrameBuffer::KeptRoom::none);
  EXPECT_THAT(buffer.take_sequences(), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(FrameBufferPutBack, DropsTheOldestIfTheBufferIsFull) {
  Buffer buffer(limits(4, any, WhenFull::drop_oldest));
  buffer.add(0, 4);
  FrameBuffer::Taken taken = buffer.take(3);
  buffer.add(4, 2);
  buffer->put_back(std::move(taken.batches), FrameBuffer::KeptRoom::none);
  EXPECT_THAT(buffer.dropped(DropReason::buffer_full_oldest), ElementsAre(0, 1));
  EXPECT_THAT(buffer.take_sequences(), ElementsAre(2, 3, 4, 5));
}

TEST(FrameBufferPutBack, DropsTheNewestIfTheBufferIsFull) {
  Buffer buffer(limits(4, any, WhenFull::drop_newest));
  buffer.add(0, 4);
  FrameBuffer::Taken taken = buffer.take(3);
  buffer.add(4, 3);
  buffer->put_back(std::move(taken.batches), FrameBuffer::KeptRoom::none);
  EXPECT_EQ(buffer.dropped(DropReason::buffer_full_newest).size(), 3U);
  EXPECT_THAT(buffer.take_sequences(), ElementsAre(0, 1, 2, 3));
}

TEST(FrameBufferPutBack, LosesNothingUnderBackpressure) {
  Buffer buffer(limits(4, any, WhenFull::backpressure));
  buffer.add(0, 4);
  FrameBuffer::Taken taken = buffer.take(3);
  buffer.add(4, 3);
  buffer->put_back(std::move(taken.batches), FrameBuffer::KeptRoom::none);
  EXPECT_EQ(buffer->depth().frames, 7U);
  EXPECT_EQ(buffer.all_dropped(), 0U);
  EXPECT_EQ(buffer->admits(batch_of_run({1, 1}, 7, 1)), 0U);
  EXPECT_THAT(buffer.take_sequences(), ElementsAre(0, 1, 2, 3, 4, 5, 6));
}

// The level -------------------------------------------------------------------------------------

TEST(FrameBufferLevel, RemembersItsHighWaterMarks) {
  Buffer buffer(limits(10, any, WhenFull::drop_oldest));
  EXPECT_EQ(buffer->level().high_water.frames, 0U);
  buffer.add(0, 6, 100);  // 6 frames, 720 octets
  EXPECT_EQ(buffer.take_sequences().size(), 6U);
  buffer.add(6, 8);  // 8 frames, 160 octets
  const BufferLevel level = buffer->level();
  EXPECT_EQ(level.now.frames, 8U);
  EXPECT_EQ(level.now.bytes, 160U);
  EXPECT_EQ(level.high_water.frames, 8U);
  EXPECT_EQ(level.high_water.bytes, 720U);
  EXPECT_EQ(level.limits.max_frames, 10U);
}

TEST(FrameBufferLevel, StaysWithinTheBoundsAtItsHighest) {
  Buffer buffer(limits(10, 400, WhenFull::drop_oldest));
  for (std::uint64_t i = 0; i < 50; ++i) {
    buffer.add(8 * i, 8, i % 40);
  }
  EXPECT_EQ(buffer->level().high_water.frames, 10U);
  EXPECT_LE(buffer->level().high_water.bytes, 400U);
}

TEST(FrameBuffer, GivesEverythingAwayAtOnce) {
  Buffer buffer(limits(10, any, WhenFull::drop_oldest));
  buffer.add(0, 3);
  buffer.add(3, 3);
  std::vector<std::uint64_t> sequences;
  for (const auto& [place, batch] : buffer->take_all()) {
    std::ranges::copy(sequences_of(batch), std::back_inserter(sequences));
  }
  EXPECT_THAT(sequences, ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_EQ(buffer->depth().frames, 0U);
  EXPECT_EQ(buffer->depth().bytes, 0U);
  EXPECT_THAT(buffer.take_sequences(), IsEmpty());
}

}  // namespace
}  // namespace meridian::test
