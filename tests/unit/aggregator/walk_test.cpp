// One step of a drain: where it ends, and which octets it moves.
#include "aggregator/walk.hpp"

#include "unit/aggregator/noting_buffer.hpp"
#include "unit/aggregator/slab_reader.hpp"
#include "unit/frame/frame_samples.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace aggregator;
namespace {

constexpr std::size_t slab_octets = SlabReader::of_each * SlabReader::batch_bytes;

/// What a step has taken, and where it ended.
struct Walked {
  std::vector<BufferedBatch> batches;
  std::uint64_t next_place = 0;
  std::size_t octets = 0;
  bool reached_end = false;
};

class StepOfADrain : public testing::Test {
 protected:
  void add(FrameBatch batch) {
    batches_.append(std::move(batch), PlacedBatches::ReadBehind::comes);
  }
  void add_slab(SatelliteId one, SatelliteId others, std::size_t place_of_one = 0) {
    for (FrameBatch& batch : slabs_.read(one, others, place_of_one)) {
      add(std::move(batch));
    }
  }
  Walked walk(const PlacedBatches::Step& step) {
    PlacedBatches::Walk walk(batches_, step);
    Walked walked;
    while (walk.goes_on()) {
      if (auto taken = walk.look_at_next()) {
        walked.batches.push_back(*std::move(taken));
      }
    }
    walked.next_place = walk.next_place();
    walked.octets = walk.octets();
    walked.reached_end = walk.reached_end();
    return walked;
  }

  SlabReader slabs_;
  PlacedBatches batches_;
};

TEST_F(StepOfADrain, MovesNothingIfAllLeaveTogether) {
  add_slab(1, 1);
  const Walked walked = walk({.max_frames = any, .max_batches = any});
  EXPECT_EQ(walked.batches.size(), SlabReader::of_each);
  EXPECT_TRUE(walked.reached_end);
  EXPECT_EQ(walked.octets, 0U);
  EXPECT_EQ(slabs_.in_use(), 1U);
}

TEST_F(StepOfADrain, MovesWhatIsLeased) {
  add_slab(1, 1);
  const Walked walked = walk({.max_frames = any, .max_batches = any, .room = KeptRoom::leased});
  EXPECT_EQ(walked.octets, slab_octets);
  EXPECT_EQ(slabs_.in_use(), 0U);
}

TEST_F(StepOfADrain, MovesAllBatchesOfASharedSlab) {
  for (const std::size_t place_of_one : {std::size_t{0}, SlabReader::of_each - 1}) {
    add_slab(1, 2, place_of_one);
    const Walked walked = walk({.max_frames = any, .satellite_id = 2, .max_batches = any});
    EXPECT_EQ(walked.batches.size(), SlabReader::of_each - 1);
    EXPECT_EQ(walked.octets, slab_octets) << "each of them once";
    EXPECT_EQ(slabs_.in_use(), 0U);
    EXPECT_EQ(walk({.max_frames = any, .max_batches = any}).batches.size(), 1U);
  }
}

TEST_F(StepOfADrain, MovesNothingOfAnUntouchedSlab) {
  add_slab(1, 1);
  const Walked walked = walk({.max_frames = any, .satellite_id = 2, .max_batches = any});
  EXPECT_TRUE(walked.batches.empty());
  EXPECT_EQ(walked.octets, 0U);
  EXPECT_EQ(slabs_.in_use(), 1U);
}

TEST_F(StepOfADrain, MovesTheRestOfWhatItDivides) {
  add(slabs_.read_one(4));
  const Walked walked = walk({.max_frames = 1, .max_batches = any});
  ASSERT_EQ(walked.batches.size(), 1U);
  EXPECT_EQ(walked.batches.front().places(), (PlaceRange{1, 1}));
  EXPECT_EQ(walked.octets, 3 * SlabReader::batch_bytes);
  EXPECT_EQ(slabs_.in_use(), 1U) << "what was taken is gone soon";
  EXPECT_EQ(batches_.oldest().places(), (PlaceRange{2, 3}));
}

TEST_F(StepOfADrain, MovesBothPartsOfADividedLease) {
  add(slabs_.read_one(4));
  const Walked walked = walk({.max_frames = 1, .max_batches = any, .room = KeptRoom::leased});
  EXPECT_EQ(walked.batches.size(), 1U);
  EXPECT_EQ(walked.octets, 4 * SlabReader::batch_bytes);
  EXPECT_EQ(slabs_.in_use(), 0U);
}

TEST_F(StepOfADrain, EndsOnceItHasMovedFourMebibytes) {
  constexpr std::size_t in_a_step = 4 * 1024 * 1024 / SlabReader::batch_bytes + 1;
  for (std::size_t added = 0; added < 2 * in_a_step; added += SlabReader::of_each) {
    add_slab(1, 1);
  }
  PlacedBatches::Step step{.max_frames = any, .max_batches = any, .room = KeptRoom::leased};
  const Walked first = walk(step);
  EXPECT_EQ(first.batches.size(), in_a_step);
  EXPECT_FALSE(first.reached_end);
  step.from_place = first.next_place;
  EXPECT_EQ(walk(step).batches.front().place, in_a_step + 1);
}

TEST_F(StepOfADrain, CutsABatchBeforeTakingItsParts) {
  const std::vector<FrameHeader> headers{header(2, 1, 0), header(1, 1, 1), header(2, 1, 2)};
  add(batch_of(headers));
  PlacedBatches::Step step{
      .max_frames = any, .satellite_id = 1, .max_batches = 1, .keep_places = true};
  const Walked first = walk(step);
  EXPECT_TRUE(first.batches.empty());
  EXPECT_EQ(first.next_place, 0U) << "the parts are yet to be looked at";
  EXPECT_EQ(batches_.oldest().places(), (PlaceRange{1, 1}));
  step.max_batches = any;
  const Walked second = walk(step);
  EXPECT_EQ(sequences_of(second.batches), std::vector<std::uint64_t>{1});
  EXPECT_EQ(second.batches.front().place, 2U);
  EXPECT_EQ(batches_.newest().places(), (PlaceRange{3, 1}));
}

}  // namespace
}  // namespace meridian::test
