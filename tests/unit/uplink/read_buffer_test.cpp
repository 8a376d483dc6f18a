#include "uplink/read_buffer.hpp"

#include "unit/frame/frame_samples.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <tuple>

namespace meridian::uplink {
namespace {

using testing::Octets;
using testing::sample_payload;

constexpr std::size_t slab_bytes = ReadBuffer::slab_bytes;
constexpr std::size_t header_bytes = 4;  // what a decoder wants at the start of a frame

/// What a read of these octets does.
void read(ReadBuffer& buffer, std::span<const std::byte> octets) {
  const std::span<std::byte> room = buffer.prepare();
  ASSERT_GE(room.size(), octets.size());
  std::ranges::copy(octets, room.begin());
  buffer.commit(octets.size());
}

Octets contents_of(const ReadBuffer& buffer) {
  const SlabRange contents = buffer.contents();
  return {contents.octets.begin(), contents.octets.end()};
}

Octets behind(const Octets& octets, std::size_t bytes) {
  return {octets.begin() + static_cast<std::ptrdiff_t>(bytes), octets.end()};
}

TEST(ReadBuffer, HoldsNoSlabBeforeItIsRead) {
  const ReadBuffer buffer;
  EXPECT_EQ(buffer.contents().slab, nullptr);
  EXPECT_EQ(buffer.unconsumed(), 0U);
}

TEST(ReadBuffer, GivesRoomForAWholeSlab) {
  ReadBuffer buffer;
  EXPECT_EQ(buffer.prepare().size(), slab_bytes);
  EXPECT_EQ(buffer.unconsumed(), 0U);
}

TEST(ReadBuffer, ShowsWhatWasReadBehindWhatWasThere) {
  const Octets octets = sample_payload(3000);
  ReadBuffer buffer;
  read(buffer, std::span(octets).first(1000));
  EXPECT_EQ(buffer.unconsumed(), 1000U);
  EXPECT_EQ(buffer.prepare().size(), slab_bytes - 1000);
  read(buffer, std::span(octets).subspan(1000));
  EXPECT_EQ(contents_of(buffer), octets);
  EXPECT_EQ(buffer.contents().slab_bytes, slab_bytes);
}

TEST(ReadBuffer, LetsGoOfTheSlabWhereAReadGaveNothing) {
  ReadBuffer buffer;
  std::ignore = buffer.prepare();
  buffer.rest();
  EXPECT_EQ(buffer.contents().slab, nullptr);
}

TEST(ReadBuffer, LetsGoOfTheSlabOnceEverythingIsConsumed) {
  ReadBuffer buffer;
  read(buffer, sample_payload(500));
  buffer.consume(500, header_bytes);
  EXPECT_EQ(buffer.contents().slab, nullptr);
  EXPECT_EQ(buffer.unconsumed(), 0U);
  EXPECT_EQ(buffer.prepare().size(), slab_bytes);
}

TEST(ReadBuffer, KeepsAShortPieceOfAFrameInMemoryOfItsSize) {
  const Octets octets = sample_payload(1007);
  ReadBuffer buffer;
  read(buffer, octets);
  buffer.consume(1000, header_bytes);
  EXPECT_EQ(contents_of(buffer), behind(octets, 1000));
  EXPECT_EQ(buffer.contents().slab_bytes, 7U);

  const std::span<const std::byte> room = buffer.prepare();
  EXPECT_EQ(room.size(), slab_bytes - 7);
  EXPECT_EQ(contents_of(buffer), behind(octets, 1000));
  buffer.rest();
  EXPECT_EQ(contents_of(buffer), behind(octets, 1000));
  EXPECT_EQ(buffer.contents().slab_bytes, 7U) << "a slab is pinned while nothing comes";
}

TEST(ReadBuffer, KeepsALongPieceWhereItIsUntilTheRestOfItsFrameComes) {
  const Octets octets = sample_payload(30'000);
  ReadBuffer buffer;
  read(buffer, std::span(octets).first(20'000));
  const std::byte* const before = buffer.contents().octets.data();
  buffer.consume(0, 30'000);
  EXPECT_EQ(buffer.contents().octets.data(), before) << "copied for nothing";
  read(buffer, std::span(octets).subspan(20'000));
  EXPECT_EQ(contents_of(buffer), octets);
}

TEST(ReadBuffer, MovesALongPieceOutOfASlabThatABatchMayHaveAdopted) {
  const Octets octets = sample_payload(50'000);
  ReadBuffer buffer;
  read(buffer, octets);
  const SlabRange adopted = buffer.contents();
  buffer.consume(40'000, 20'000);
  EXPECT_EQ(contents_of(buffer), behind(octets, 40'000));
  EXPECT_NE(buffer.contents().slab, adopted.slab);

  std::ranges::fill(buffer.prepare(), std::byte{0xEE});
  EXPECT_TRUE(std::ranges::equal(adopted.octets, octets)) << "the batch's octets were written over";
}

TEST(ReadBuffer, MovesALongPieceOfALargeFrameToWhereTheWholeOfItFits) {
  const Octets octets = sample_payload(50'000);
  ReadBuffer buffer;
  read(buffer, octets);
  buffer.consume(40'000, 2 * slab_bytes);
  EXPECT_EQ(buffer.contents().slab_bytes, 2 * slab_bytes) << "it will be moved a second time";
  EXPECT_EQ(contents_of(buffer), behind(octets, 40'000));
}

TEST(ReadBuffer, GrowsForAFrameLargerThanASlab) {
  constexpr std::size_t frame_bytes = 3 * slab_bytes + 5;
  const Octets frame = sample_payload(frame_bytes);
  ReadBuffer buffer;
  std::size_t there = 0;
  int reads = 0;
  while (there < frame_bytes) {
    const std::size_t bytes = std::min(buffer.prepare().size(), frame_bytes - there);
    read(buffer, std::span(frame).subspan(there, bytes));
    there += bytes;
    ++reads;
    if (there < frame_bytes) {
      buffer.consume(0, frame_bytes);
      EXPECT_EQ(buffer.prepare().size(), frame_bytes - there) << "room beyond the frame";
    }
  }
  EXPECT_EQ(reads, 2);
  EXPECT_EQ(contents_of(buffer), frame);
  buffer.consume(frame_bytes, header_bytes);
  EXPECT_EQ(buffer.contents().slab, nullptr);
  EXPECT_EQ(buffer.prepare().size(), slab_bytes) << "the large size was kept";
}

TEST(ReadBuffer, GrowsForALargeFrameOfWhichAShortPieceIsThere) {
  const Octets octets = sample_payload(110);
  ReadBuffer buffer;
  read(buffer, octets);
  buffer.consume(100, 2 * slab_bytes);
  EXPECT_EQ(buffer.contents().slab_bytes, 10U) << "room before there is anything to read";
  EXPECT_EQ(buffer.prepare().size(), 2 * slab_bytes - 10);
  EXPECT_EQ(contents_of(buffer), behind(octets, 100));
}

TEST(ReadBuffer, AlwaysHasRoomAlsoWhereAFullSlabIsWantedWhole) {
  ReadBuffer buffer;
  read(buffer, sample_payload(slab_bytes));
  buffer.consume(0, slab_bytes + 1);
  EXPECT_EQ(buffer.prepare().size(), 1U);
  EXPECT_EQ(contents_of(buffer), sample_payload(slab_bytes));
}

TEST(SpareSlab, IsReusedByWhicheverSessionReadsNext) {
  ReadBuffer first;
  read(first, sample_payload(500));
  const std::byte* const slab = first.contents().octets.data();
  first.consume(500, header_bytes);
  ReadBuffer second;
  EXPECT_EQ(second.prepare().data(), slab);
  second.rest();
  EXPECT_EQ(first.prepare().data(), slab);
  first.rest();
}

TEST(SpareSlab, IsNotOneThatABatchAdopted) {
  const Octets octets = sample_payload(50'000);
  ReadBuffer buffer;
  read(buffer, octets);
  const SlabRange adopted = buffer.contents();
  buffer.consume(50'000, header_bytes);
  EXPECT_EQ(adopted.slab.use_count(), 1) << "the buffer holds on to it";
  for (int i = 0; i < 2; ++i) {
    ReadBuffer other;
    EXPECT_NE(other.prepare().data(), adopted.octets.data());
    other.rest();
  }
}

TEST(SpareSlab, IsForOneBufferAtATime) {
  ReadBuffer first;
  ReadBuffer second;
  EXPECT_NE(first.prepare().data(), second.prepare().data());
  first.rest();
  second.rest();
}

TEST(SpareSlab, IsNoneOfAnotherSize) {
  ReadBuffer large;
  read(large, sample_payload(slab_bytes));
  large.consume(0, 4 * slab_bytes);
  read(large, sample_payload(3 * slab_bytes));
  large.consume(4 * slab_bytes, header_bytes);
  ReadBuffer next;
  EXPECT_EQ(next.prepare().size(), slab_bytes);
  EXPECT_EQ(next.contents().slab_bytes, slab_bytes);
  next.rest();
}

}  // namespace
}  // namespace meridian::uplink
