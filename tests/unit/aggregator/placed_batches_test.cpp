// Batches at their places: what is given a place, and what does not keep its slab.
#include "aggregator/placed_batches.hpp"

#include "unit/aggregator/slab_reader.hpp"
#include "unit/frame/frame_samples.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <stdexcept>
#include <tuple>

namespace meridian::test {

using namespace aggregator;
namespace {

using ReadBehind = PlacedBatches::ReadBehind;

TEST(PlacedBatches, GiveEachFrameTheNextPlace) {
  SlabReader slabs;
  PlacedBatches batches;
  batches.append(slabs.read_one(3), ReadBehind::comes);
  batches.append(slabs.read_one(2), ReadBehind::comes);
  EXPECT_EQ(batches.oldest().places(), (PlaceRange{1, 3}));
  EXPECT_EQ(batches.newest().places(), (PlaceRange{4, 2}));
  EXPECT_EQ(batches.find_from(2).value().place, 4U);
  EXPECT_FALSE(batches.find_from(5).has_value());
  EXPECT_EQ(batches.end_place(), 6U);
}

TEST(PlacedBatches, GiveNoPlaceThatIsPassedOrSkipped) {
  SlabReader slabs;
  PlacedBatches batches;
  EXPECT_EQ(batches.pass(slabs.read_one(3), KeptRoom::none).places(), (PlaceRange{1, 3}));
  EXPECT_EQ(batches.end_place(), 4U);
  batches.skip_to(10);
  batches.skip_to(5);
  batches.append(slabs.read_one(1), ReadBehind::comes);
  EXPECT_EQ(batches.oldest().place, 10U);
}

TEST(PlacedBatches, JoinSmallOnesUnlessTheyAreSealed) {
  PlacedBatches batches;
  batches.append(batch_of_run({1, 1}, 0, 2), ReadBehind::comes);
  batches.append(batch_of_run({1, 1}, 2, 2), ReadBehind::comes);
  EXPECT_EQ(batches.oldest().places(), (PlaceRange{1, 4}));
  batches.seal();
  batches.append(batch_of_run({1, 1}, 4, 2), ReadBehind::comes);
  EXPECT_EQ(batches.newest().places(), (PlaceRange{5, 2}));
}

TEST(PlacedBatches, LeaveTheOldestRestInItsSlab) {
  SlabReader slabs;
  PlacedBatches batches;
  batches.append(slabs.read_one(4), ReadBehind::comes);
  EXPECT_EQ(batches.take_oldest(1).places(), (PlaceRange{1, 1}));
  EXPECT_EQ(batches.oldest().places(), (PlaceRange{2, 3}));
  EXPECT_EQ(slabs.in_use(), 1U) << "it goes next";
  EXPECT_EQ(batches.take_oldest(3).places(), (PlaceRange{2, 3}));
  EXPECT_TRUE(batches.empty());
  EXPECT_EQ(slabs.in_use(), 0U);
}

TEST(PlacedBatches, KeepNoSlabForTheNewestRest) {
  SlabReader slabs;
  PlacedBatches batches;
  batches.append(slabs.read_one(4), ReadBehind::comes);
  EXPECT_EQ(batches.take_newest(1).places(), (PlaceRange{4, 1}));
  EXPECT_EQ(batches.newest().places(), (PlaceRange{1, 3}));
  EXPECT_EQ(slabs.in_use(), 0U);
  EXPECT_EQ(batches.take_newest(3).places(), (PlaceRange{1, 3}));
  EXPECT_TRUE(batches.empty());
}

TEST(PlacedBatches, KeepNoSlabIfOthersMayBeRefused) {
  SlabReader slabs;
  PlacedBatches batches;
  batches.append(slabs.read_one(1), ReadBehind::may_be_refused);
  EXPECT_EQ(slabs.in_use(), 0U);
  batches.append(slabs.read_one(1), ReadBehind::comes);
  EXPECT_EQ(slabs.in_use(), 1U);
}

TEST(PlacedBatches, MoveWhatIsHandedOutOnce) {
  SlabReader slabs;
  PlacedBatches batches;
  batches.append(slabs.read_one(1), ReadBehind::comes);
  std::size_t moved = 0;
  const FrameBatch first = batches.hand_out(1, moved);
  EXPECT_EQ(moved, SlabReader::batch_bytes);
  const FrameBatch second = batches.hand_out(1, moved);
  EXPECT_EQ(moved, SlabReader::batch_bytes);
  EXPECT_EQ(first.slab(), second.slab());
  EXPECT_EQ(slabs.in_use(), 0U);
}

TEST(PlacedBatches, MoveWhatPassesIfItIsLeased) {
  SlabReader slabs;
  PlacedBatches batches;
  const BufferedBatch leased = batches.pass(slabs.read_one(1), KeptRoom::leased);
  EXPECT_EQ(slabs.in_use(), 0U);
  const BufferedBatch lent = batches.pass(slabs.read_one(1), KeptRoom::lent);
  EXPECT_EQ(slabs.in_use(), 1U);
}

TEST(PlacedBatches, ThrowAtAPlaceThatIsNotTheirs) {
  SlabReader slabs;
  PlacedBatches batches;
  batches.append(slabs.read_one(3), ReadBehind::comes);
  batches.append(slabs.read_one(1), ReadBehind::comes);
  EXPECT_THROW(std::ignore = batches.take_at(2), std::logic_error);
  BufferedBatch taken{2, batches.take_at(1)};
  EXPECT_THROW(batches.put_back(taken), std::logic_error);
  ASSERT_EQ(taken.batch.frames(), 3U) << "is lost";
  taken.place = 1;
  batches.put_back(taken);
  EXPECT_EQ(batches.oldest().places(), (PlaceRange{1, 3}));
}

}  // namespace
}  // namespace meridian::test
