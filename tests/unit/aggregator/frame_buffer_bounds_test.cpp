// What a buffer does with frames that are too large for it, and what it holds besides frames.
#include "frame/slab_pool.hpp"
#include "unit/aggregator/noting_buffer.hpp"
#include "unit/frame/frame_samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace aggregator;
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A frame that not even an empty buffer takes ---------------------------------------------------

TEST(FrameLargerThanTheBuffer, IsRefusedUnderDropNewest) {
  Buffer buffer(limits(any, 100, WhenFull::drop_newest));
  buffer.add(0, 2);
  buffer.add(2, 1, 81);
  EXPECT_THAT(buffer.dropped(DropReason::buffer_full_newest), ElementsAre(2));
  EXPECT_THAT(buffer.take_sequences(), ElementsAre(0, 1));
}

TEST(FrameLargerThanTheBuffer, IsRefusedUnderDropOldestAndEvictsNobody) {
  Buffer buffer(limits(any, 100, WhenFull::drop_oldest));
  buffer.add(0, 2);
  buffer.add(2, 1, 81);
  EXPECT_THAT(buffer.dropped(DropReason::buffer_full_newest), ElementsAre(2));
  EXPECT_THAT(buffer.dropped(DropReason::buffer_full_oldest), IsEmpty());
  EXPECT_THAT(buffer.take_sequences(), ElementsAre(0, 1));
}

TEST(FrameLargerThanTheBuffer, DropOldestRefusesItFromWithinABatch) {
  Buffer buffer(limits(any, 100, WhenFull::drop_oldest));
  FrameBatchBuilder builder;
  for (const std::size_t payload_bytes : {0U, 10U, 200U, 300U, 20U, 500U}) {
    builder.append(header(1, 1, payload_bytes), test::sample_payload(payload_bytes));
  }
  buffer->add(builder.finish({}).value());
  EXPECT_THAT(buffer.dropped(DropReason::buffer_full_newest), ElementsAre(200, 300, 500));
  EXPECT_THAT(buffer.take_sequences(), ElementsAre(0, 10, 20));
}

TEST(FrameLargerThanTheBuffer, DoesNotWaitForEverUnderBackpressure) {
  Buffer buffer(limits(any, 100, WhenFull::backpressure));
  const auto large = batch_of_run({1, 1}, 2, 2, 81);
  buffer.add(0, 2);
  EXPECT_EQ(buffer->admits(large), 2U) << "waits for room that it cannot have";
  buffer->add(batch_of_run({1, 1}, 2, 2, 81));
  EXPECT_THAT(buffer.dropped(DropReason::buffer_full_newest), ElementsAre(2, 3));
  EXPECT_THAT(buffer.take_sequences(), ElementsAre(0, 1));
}

TEST(FrameLargerThanTheBuffer, TakesNoOtherAlongUnderDropNewest) {
  Buffer buffer(limits(any, 100, WhenFull::drop_newest));
  FrameBatchBuilder builder;
  for (const std::size_t payload_bytes : {81U, 0U, 300U, 1U, 50U, 2U}) {
    builder.append(header(1, 1, payload_bytes), test::sample_payload(payload_bytes));
  }
  buffer->add(builder.finish({}).value());
  EXPECT_THAT(buffer.dropped(DropReason::buffer_full_newest), ElementsAre(81, 300, 50));
  EXPECT_THAT(buffer.take_sequences(), ElementsAre(0, 1, 2));
}

// Memory --------------------------------------------------------------------------------------

/// In how many slabs small batches are: those of one slab are not far from each other.
std::size_t slabs_of(const FrameBuffer::Entries& entries) {
  std::vector<const std::byte*> begins;
  for (const auto& [place, batch] : entries) {
    begins.push_back(batch.octets().data());
  }
  std::ranges::sort(begins);
  std::size_t slabs = 0;
  const std::byte* first = nullptr;
  for (const std::byte* const begin : begins) {
    if (first == nullptr || begin >= first + frame::SlabPool::slab_bytes) {
      first = begin;
      ++slabs;
    }
  }
  return slabs;
}

/// A batch of many frames in a slab of 64 KiB, as a busy session reads it.
FrameBatch full_slab(std::uint64_t first) {
  return batch_of_run({1, 1}, first, 700, 73);
}

TEST(FrameBufferMemory, PinsNoSlabForItsFewFittingFrames) {
  Buffer buffer(limits(1000, any, WhenFull::drop_newest));
  for (std::uint64_t i = 0; i < 1000; ++i) {
    buffer.add(i, 1, 64);
  }
  for (std::uint64_t i = 0; i < 1000; ++i) {
    ASSERT_EQ(buffer.take(1).amount.frames, 1U);
    buffer->add(full_slab(1000 + 700 * i));  // one of them fits
  }
  const FrameBuffer::Entries entries = buffer->take_all();
  EXPECT_LE(slabs_of(entries), 2U);
  EXPECT_LE(entries.size(), 1000 / FramePage::max_joined + 2);
}

TEST(FrameBufferMemory, KeepsLoneFramesCloseTogether) {
  Buffer buffer(limits(any, any, WhenFull::drop_oldest));
  constexpr std::size_t frames = 10'000;
  for (std::uint64_t i = 0; i < frames; ++i) {
    buffer->add(batch_of_run({static_cast<SatelliteId>(i), 1}, i, 1, 60));
  }
  const FrameBuffer::Entries entries = buffer->take_all();
  EXPECT_LE(slabs_of(entries), frames * 80 / frame::SlabPool::slab_bytes + 2);
  EXPECT_LE(entries.size(), frames / FramePage::max_joined + 5);
  for (const auto& [place, batch] : entries) {
    EXPECT_LE(batch.footprint() - frame::SlabPool::slab_bytes, 16U * batch.frames());
  }
}

TEST(FrameBufferLimits, ApplyToTheRestBesideALease) {
  Buffer buffer(limits(100, any, WhenFull::drop_oldest));
  for (std::uint64_t i = 0; i < 10; ++i) {
    buffer.add(10 * i, 10, not_small);
  }
  const FrameBuffer::Taken leased = buffer->take({.max_frames = 50,
                                                  .satellite_id = std::nullopt,
                                                  .max_batches = any,
                                                  .room = FrameBuffer::KeptRoom::leased});
  EXPECT_EQ(leased.amount.frames, 50U);
  buffer->set_limits(limits(20, any, WhenFull::drop_oldest));
  std::vector<std::uint64_t> newest(20);
  std::iota(newest.begin(), newest.end(), 80);
  EXPECT_EQ(buffer.take_sequences(), newest);
}

TEST(FrameBufferMemory, DoesNotJoinFramesAroundATakenOne) {
  Buffer buffer(limits(any, any, WhenFull::drop_oldest));
  buffer->add(batch_of_run({1, 1}, 0, 1));
  buffer->add(batch_of_run({2, 1}, 1, 1, not_small));
  FrameBuffer::Taken two = buffer.take(any, 2);
  buffer->add(batch_of_run({1, 1}, 2, 1));
  buffer->put_back(std::move(two.batches), FrameBuffer::KeptRoom::none);
  EXPECT_THAT(buffer.take_sequences(), ElementsAre(0, 1, 2));
}

TEST(FrameBufferMemory, KeepsNothingOfFramesTakenFromTheMiddle) {
  Buffer buffer(limits(any, any, WhenFull::drop_oldest));
  buffer->add(batch_of_run({1, 1}, 0, 1));  // stays in front
  for (std::uint64_t i = 0; i < 100; ++i) {
    buffer->add(batch_of_run({2, 1}, i, 1));
    ASSERT_EQ(buffer.take(1, 2).amount.frames, 1U);
  }
  EXPECT_EQ(buffer->take_all().size(), 1U);
}

}  // namespace
}  // namespace meridian::test
