#include "frame/adopt.hpp"
#include "frame/native_decoder.hpp"
#include "unit/frame/frame_samples.hpp"

#include <meridian/decoder.hpp>
#include <meridian/frame_batch.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <tuple>
#include <utility>

namespace meridian::test {

using namespace frame;
namespace {

/// What is done with the frames of a read: they stay in its slab, or are copied out of it.
class AdoptOrCopy : public testing::Test {
 protected:
  /// A slab of `slab_bytes` with `frames` frames of 20 octets at its start.
  static SlabRange slab(std::size_t slab_bytes, std::uint32_t frames) {
    auto octets = std::make_shared<std::byte[]>(slab_bytes);
    for (std::uint32_t i = 0; i < frames; ++i) {
      write_frame_header(header(1, 1, i), 0,
                         std::span<std::byte, frame_header_bytes>(
                             octets.get() + i * frame_header_bytes, frame_header_bytes));
    }
    const std::span<const std::byte> whole(octets.get(), slab_bytes);
    return {.slab = std::move(octets), .slab_bytes = slab_bytes, .octets = whole};
  }

  static FrameBatch batch_over(const SlabRange& stream, std::uint32_t frames) {
    return adopt_or_copy(stream, frames * frame_header_bytes, {.frames = frames}, {.session = 3});
  }

  static constexpr std::uint32_t worth_it =
      (least_adopted_bytes + frame_header_bytes - 1) / frame_header_bytes;
};

TEST_F(AdoptOrCopy, AdoptsManyFramesWhereTheyAre) {
  const SlabRange stream = slab(65536, worth_it);
  const FrameBatch batch = batch_over(stream, worth_it);
  EXPECT_EQ(batch.octets().data(), stream.octets.data());
  EXPECT_EQ(stream.slab.use_count(), 2);
  EXPECT_EQ(batch.frames(), worth_it);
}

TEST_F(AdoptOrCopy, AdoptsASlabThatIsHalfFull) {
  const SlabRange stream = slab(200, 5);
  EXPECT_EQ(batch_over(stream, 5).octets().data(), stream.octets.data());
}

TEST_F(AdoptOrCopy, CopiesFewFrames) {
  for (const SlabRange& stream : {slab(202, 5), slab(65536, worth_it - 1)}) {
    const std::uint32_t frames = stream.slab_bytes == 202 ? 5 : worth_it - 1;
    const FrameBatch batch = batch_over(stream, frames);
    EXPECT_NE(batch.octets().data(), stream.octets.data());
    EXPECT_EQ(stream.slab.use_count(), 1) << "a small batch pins a large slab";
    EXPECT_TRUE(
        std::ranges::equal(batch.octets(), stream.octets.first(frames * frame_header_bytes)));
    EXPECT_EQ(batch.stamp().session, 3U);
  }
}

TEST_F(AdoptOrCopy, PinsNoLargeSlabForASmallFrame) {
  const SlabRange stream = slab(65536, 1);
  NativeDecoder decoder(100);
  const Decoded found = decoder.decode(
      {.slab = stream.slab, .slab_bytes = stream.slab_bytes, .octets = stream.octets.first(20)},
      {});
  ASSERT_TRUE(found.batch.has_value());
  EXPECT_EQ(stream.slab.use_count(), 1);
}

TEST(MakeDecoder, RefusesFramesWhoseOctetsCannotBeCounted) {
  constexpr std::uint32_t most = 4'294'967'275;  // 2^32 - 21
  EXPECT_EQ(make_decoder({.max_payload_bytes = most})->max_unit_bytes(), 4'294'967'295U);
  EXPECT_THROW(std::ignore = make_decoder({.max_payload_bytes = most + 1}), std::invalid_argument);
}

}  // namespace
}  // namespace meridian::test
