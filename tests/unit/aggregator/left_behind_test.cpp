// What stays behind in a slab, when the other batches of it have gone, does not keep the slab.
#include "unit/aggregator/consumer_fixture.hpp"
#include "unit/aggregator/noting_buffer.hpp"
#include "unit/aggregator/slab_reader.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace aggregator;
namespace {

using namespace std::chrono_literals;

class LeftBehind : public test::ConsumerTest {
 protected:
  static constexpr std::size_t slabs = 64;

  void read_slabs(SatelliteId one = 1, SatelliteId others = 1, std::size_t place_of_one = 0) {
    for (std::size_t i = 0; i < slabs; ++i) {
      for (FrameBatch& batch : slabs_.read(one, others, place_of_one)) {
        send(std::move(batch));
      }
    }
  }
  /// Of what is in the buffer.
  void expect_no_more_memory_than(double factor) {
    const Drained left = drain();
    std::size_t footprint = 0;
    for (const BufferedBatch& buffered : left.batches) {
      footprint += buffered.batch.footprint();
    }
    EXPECT_LE(static_cast<double>(footprint), factor * static_cast<double>(left.taken.bytes));
  }

  SlabReader slabs_;
};

TEST_F(LeftBehind, ByAConsumerKeepingOneBatchPerSlab) {
  spawn_with(WhenFull::backpressure, {{"a"}}, 1'000'000);
  read_slabs();
  Consumer a = consume("a");
  Batches unacknowledged;
  for (std::size_t read = 0; read < slabs * SlabReader::of_each;) {
    for (BufferedBatch& buffered : next(a)) {
      if (read++ % SlabReader::of_each == 0) {
        unacknowledged.push_back(std::move(buffered));
      } else {
        EXPECT_EQ(call(a.acknowledge({buffered.places()})), error_code{});
      }
    }
  }
  EXPECT_EQ(stats().ledger.buffered, slabs);
  EXPECT_EQ(slabs_.in_use(), 0U) << "neither by the buffer nor by the consumer";
  expect_no_more_memory_than(2);
  EXPECT_EQ(unacknowledged.size(), slabs);
}

TEST_F(LeftBehind, ByLeasesOfOneBatchOfEachSlab) {
  spawn_with(WhenFull::drop_oldest, {}, 1'000'000);
  read_slabs();
  std::vector<LeaseId> leases;
  for (std::size_t i = 0; i < slabs; ++i) {
    leases.push_back(
        call(aggregator_->lease({.max_frames = 1, .duration = 1h})).value().id.value());
    EXPECT_EQ(drain(SlabReader::of_each - 1).taken.frames, SlabReader::of_each - 1);
  }
  EXPECT_EQ(slabs_.in_use(), 0U);
  EXPECT_EQ(stats().ledger.leased, slabs);
  for (const LeaseId id : leases) {
    EXPECT_TRUE(call(aggregator_->release(id)).has_value());
  }
  expect_no_more_memory_than(2);
}

TEST_F(LeftBehind, ByLeasesThatPassAFullBuffer) {
  spawn(test::options(2 * SlabReader::of_each, 100, WhenFull::backpressure));
  send(test::batch_of_run({3, 1}, 0, 101));
  for (FrameBatch& batch : slabs_.read(1, 2)) {
    send(std::move(batch));
  }
  EXPECT_EQ(drain(all_frames, 2).taken.frames, SlabReader::of_each - 1);
  EXPECT_EQ(slabs_.in_use(), 1U);
  const Leased leased =
      call(aggregator_->lease({.max_frames = 1, .satellite_id = 1, .duration = 1h})).value();
  EXPECT_EQ(leased.frames.taken.frames, 1U);
  EXPECT_EQ(slabs_.in_use(), 0U);
}

TEST_F(LeftBehind, BySmallDrainsOfAnotherSatellite) {
  spawn_with(WhenFull::drop_oldest, {}, 1'000'000);
  read_slabs(1, 2);
  while (drain(10, 2).taken.frames > 0) {
  }
  EXPECT_LE(slabs_.in_use(), 1U);
  EXPECT_EQ(stats().ledger.buffered, slabs);
  expect_no_more_memory_than(2 + static_cast<double>(SlabReader::of_each) / slabs);
}

TEST_F(LeftBehind, ByOneDrainOfAnotherSatellite) {
  spawn_with(WhenFull::drop_oldest, {}, 1'000'000);
  read_slabs(1, 2);
  EXPECT_EQ(drain(all_frames, 2).taken.frames, slabs * (SlabReader::of_each - 1));
  EXPECT_LE(slabs_.in_use(), 1U + slabs * SlabReader::of_each / 2048) << "one for each step";
}

TEST_F(LeftBehind, ByADrainOfEarlierFrames) {
  spawn_with(WhenFull::drop_oldest, {}, 1'000'000);
  read_slabs(1, 2, SlabReader::of_each - 1);
  EXPECT_EQ(drain(all_frames, 2).taken.frames, slabs * (SlabReader::of_each - 1));
  EXPECT_LE(slabs_.in_use(), 1U + slabs * SlabReader::of_each / 2048) << "one for each step";
  EXPECT_EQ(stats().ledger.buffered, slabs);
}

/// Whether there is a consumer, so that a drain cuts batches where they are.
class LeftBehindByDivision : public LeftBehind, public testing::WithParamInterface<bool> {};

TEST_P(LeftBehindByDivision, KeepsNoSlab) {
  spawn_with(WhenFull::backpressure,
             GetParam() ? std::vector<ConsumerOptions>{{"a"}} : std::vector<ConsumerOptions>{},
             1'000'000);
  {
    std::vector<FrameBatch> batches = slabs_.read(1, 2);
    ASSERT_TRUE(batches[1].join(batches[2]));
    send(std::move(batches[0]));
    send(std::move(batches[1]));
  }
  EXPECT_EQ(slabs_.in_use(), 1U);
  EXPECT_EQ(drain(1, 2).taken.frames, 1U);
  EXPECT_EQ(slabs_.in_use(), 0U);
  EXPECT_EQ(stats().ledger.buffered, 2U);
}

INSTANTIATE_TEST_SUITE_P(WithAndWithoutAConsumer, LeftBehindByDivision, testing::Bool());

TEST_F(LeftBehind, FramesOutsideTheTakenSlabsDoNotMove) {
  test::Buffer buffer(test::limits(test::any, 1'000'000'000, WhenFull::drop_oldest));
  buffer->add(test::batch_of_run({3, 1}, 0, 1, large));
  for (std::size_t i = 0; i < slabs; ++i) {
    for (FrameBatch& batch : slabs_.read(1, 2)) {
      buffer->add(std::move(batch));
    }
  }
  const FrameBuffer::Taken taken =
      buffer->take({.max_frames = test::any, .satellite_id = 3, .max_batches = test::any});
  EXPECT_EQ(taken.amount.frames, 1U);
  EXPECT_EQ(taken.octets, taken.amount.bytes) << "only what is taken moves";
  EXPECT_EQ(slabs_.in_use(), slabs);
}

}  // namespace
}  // namespace meridian::test
