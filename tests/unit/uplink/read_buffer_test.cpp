#include "uplink/read_buffer.hpp"

#include "unit/frame/frame_samples.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <tuple>
#include <vector>

namespace meridian::test {

using namespace uplink;

namespace {

using Adopted = ReadBuffer::Adopted;

constexpr std::size_t slab_bytes = ReadBuffer::max_read_bytes;
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

/// Reads octets, and has a batch adopt all of them.
SlabRange read_and_adopt(ReadBuffer& buffer, const Octets& octets) {
  read(buffer, octets);
  const SlabRange adopted = buffer.contents();
  buffer.consume(octets.size(), header_bytes, Adopted::yes);
  return adopted;
}

/// All read buffers of a thread share a slab, which the tests before have partly filled: these
/// tests begin with a fresh one.
class SharedSlab : public testing::Test {
 protected:
  void SetUp() override {
    ReadBuffer buffer;
    while (buffer.prepare().size() < slab_bytes) {
      read_and_adopt(buffer, sample_payload(slab_bytes / 4));
    }
  }
};

TEST(ReadBuffer, HoldsNothingBeforeItIsRead) {
  const ReadBuffer buffer;
  EXPECT_EQ(buffer.contents().octets.size(), 0U);
  EXPECT_EQ(buffer.unconsumed(), 0U);
}

TEST(ReadBuffer, AlwaysHasRoomThatIsWorthARead) {
  ReadBuffer buffer;
  for (int i = 0; i < 50; ++i) {
    EXPECT_GE(buffer.prepare().size(), slab_bytes / 4);
    read_and_adopt(buffer, sample_payload(10'000));
  }
}

TEST(ReadBuffer, ShowsWhatWasReadBehindWhatWasThere) {
  const Octets octets = sample_payload(3000);
  ReadBuffer buffer;
  read(buffer, std::span(octets).first(1000));
  EXPECT_EQ(buffer.unconsumed(), 1000U);
  buffer.consume(0, 3000, Adopted::no);
  read(buffer, std::span(octets).subspan(1000));
  EXPECT_EQ(contents_of(buffer), octets);
}

TEST(ReadBuffer, HoldsNothingWhereAReadGaveNothing) {
  ReadBuffer buffer;
  std::ignore = buffer.prepare();
  buffer.rest();
  EXPECT_EQ(buffer.contents().octets.data(), nullptr);
}

TEST(ReadBuffer, HoldsNothingOnceEverythingIsConsumed) {
  ReadBuffer buffer;
  read(buffer, sample_payload(500));
  buffer.consume(500, header_bytes, Adopted::no);
  EXPECT_EQ(buffer.contents().octets.data(), nullptr);
  EXPECT_EQ(buffer.unconsumed(), 0U);
}

TEST(ReadBuffer, KeepsAShortPieceInLittleMemory) {
  const Octets octets = sample_payload(1007);
  ReadBuffer buffer;
  read(buffer, octets);
  buffer.consume(1000, header_bytes, Adopted::no);
  EXPECT_EQ(contents_of(buffer), behind(octets, 1000));
  EXPECT_EQ(buffer.contents().slab_bytes, 7U);

  std::ignore = buffer.prepare();
  EXPECT_EQ(contents_of(buffer), behind(octets, 1000));
  buffer.rest();
  EXPECT_EQ(contents_of(buffer), behind(octets, 1000));
  EXPECT_EQ(buffer.contents().slab_bytes, 7U) << "a slab is pinned while nothing comes";
}

TEST(ReadBuffer, KeepsALongPieceIfItsFrameFits) {
  const Octets octets = sample_payload(40'000);
  ReadBuffer buffer;
  read(buffer, std::span(octets).first(20'000));
  buffer.consume(10'000, 30'000, Adopted::yes);
  EXPECT_EQ(buffer.contents().slab_bytes, 30'000U);
  const std::byte* const before = buffer.contents().octets.data();
  for (const std::size_t at : {20'000U, 25'000U}) {
    EXPECT_EQ(buffer.prepare().size(), 40'000U - at) << "room beyond the frame";
    read(buffer, std::span(octets).subspan(at, 5'000));
    EXPECT_EQ(buffer.contents().octets.data(), before) << "copied for nothing";
    buffer.consume(0, 30'000, Adopted::no);
  }
  read(buffer, std::span(octets).subspan(30'000));
  EXPECT_EQ(contents_of(buffer), behind(octets, 10'000));
  buffer.consume(30'000, header_bytes, Adopted::yes);
  EXPECT_GE(buffer.prepare().size(), slab_bytes / 4) << "the next read is as small";
}

TEST(ReadBuffer, MovesALongPieceOfALargerFrame) {
  const Octets octets = sample_payload(20'000);
  ReadBuffer buffer;
  read(buffer, std::span(octets).first(10'000));
  buffer.consume(0, 11'000, Adopted::no);
  read(buffer, std::span(octets).subspan(10'000, 1'000));
  buffer.consume(0, 20'000, Adopted::no);
  EXPECT_EQ(buffer.prepare().size(), 9'000U);
  read(buffer, std::span(octets).subspan(11'000));
  EXPECT_EQ(contents_of(buffer), octets);
}

TEST(ReadBuffer, TakesAFrameLargerThanASlab) {
  constexpr std::size_t frame_bytes = 3 * slab_bytes + 5;
  const Octets frame = sample_payload(frame_bytes);
  ReadBuffer buffer;
  std::size_t there = 0;
  while (there < frame_bytes) {
    const std::size_t bytes = std::min(buffer.prepare().size(), frame_bytes - there);
    read(buffer, std::span(frame).subspan(there, bytes));
    there += bytes;
    if (there < frame_bytes) {
      buffer.consume(0, frame_bytes, Adopted::no);
    }
  }
  EXPECT_EQ(contents_of(buffer), frame);
  EXPECT_EQ(buffer.contents().slab_bytes, frame_bytes);
  buffer.consume(frame_bytes, header_bytes, Adopted::yes);
  EXPECT_LE(buffer.prepare().size(), slab_bytes) << "the large size was kept";
}

TEST(ReadBuffer, ShortPieceOfALargeFrameAllocatesNothing) {
  const Octets octets = sample_payload(110);
  ReadBuffer buffer;
  read(buffer, octets);
  buffer.consume(100, 8 * slab_bytes, Adopted::no);
  EXPECT_EQ(buffer.contents().slab_bytes, 10U);
}

TEST(ReadBuffer, KeepsItsContentsIfNothingMoreIsWanted) {
  const Octets octets = sample_payload(10'000);  // as after a malformed frame
  ReadBuffer buffer;
  read(buffer, octets);
  buffer.consume(0, 0, Adopted::no);
  EXPECT_EQ(contents_of(buffer), octets);
}

TEST_F(SharedSlab, IsWhereAllSessionsOfAThreadRead) {
  ReadBuffer first;
  const SlabRange adopted = read_and_adopt(first, sample_payload(5000));
  ReadBuffer second;
  const std::span<std::byte> room = second.prepare();
  if (room.size() + 5000 <= slab_bytes) {
    EXPECT_EQ(room.data(), adopted.octets.data() + 5000);
  } else {
    EXPECT_EQ(room.size(), slab_bytes) << "neither behind the first, nor in a new slab";
  }
}

TEST_F(SharedSlab, IsNeverOverwrittenWhereABatchAdoptedIt) {
  std::vector<SlabRange> adopted;
  std::vector<Octets> octets;
  ReadBuffer buffers[3];
  for (std::size_t i = 0; i < 100; ++i) {
    octets.push_back(sample_payload(6000 + i, i));
    ReadBuffer& buffer = buffers[i % 3];
    read(buffer, octets.back());
    SlabRange range = buffer.contents();
    // All but the last octets, which are a piece of a frame and of no use any more.
    const std::size_t bytes = range.octets.size() - i % 5;
    range.octets = range.octets.first(bytes);
    octets.back().assign(range.octets.begin(), range.octets.end());
    adopted.push_back(range);
    buffer.consume(bytes, 10, Adopted::yes);
    std::ranges::fill(buffer.prepare(), std::byte{0xEE});
    buffer.rest();
  }
  for (std::size_t i = 0; i < adopted.size(); ++i) {
    EXPECT_TRUE(std::ranges::equal(adopted[i].octets, octets[i])) << i;
  }
}

TEST_F(SharedSlab, IsWrittenOverWhereNobodyAdoptedIt) {
  ReadBuffer buffer;
  const std::byte* const room = buffer.prepare().data();
  for (int i = 0; i < 1000; ++i) {
    read(buffer, sample_payload(3000));
    buffer.consume(3000, header_bytes, Adopted::no);
  }
  EXPECT_EQ(buffer.prepare().data(), room);
}

TEST_F(SharedSlab, IsFreedOnceNobodyUsesIt) {
  ReadBuffer buffer;
  const SlabRange adopted = read_and_adopt(buffer, sample_payload(slab_bytes / 2));
  while (buffer.prepare().data() == adopted.octets.data() + slab_bytes / 2) {
    read_and_adopt(buffer, sample_payload(slab_bytes / 2));
  }
  EXPECT_EQ(adopted.slab.use_count(), 1);
}

}  // namespace
}  // namespace meridian::test
