#include "unit/frame/frame_samples.hpp"

#include <meridian/frame_batch.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace frame;
namespace {

using testing::ElementsAre;

/// Reads that stand one behind the other in one slab, as the buffer puts them.
class JoinedReads : public testing::Test {
 protected:
  static constexpr std::size_t slab_bytes = 4096;

  /// One read, received so many microseconds after the first.
  FrameBatch read(std::uint64_t first, std::uint32_t frames, std::int64_t microseconds,
                  std::size_t payload_bytes = 0, SequenceWidth width = SequenceWidth::bits64) {
    const FrameBatch batch = batch_of_run({1, 1}, first, frames, payload_bytes);
    const std::span<std::byte> copy =
        std::span(slab_.get(), slab_bytes).subspan(used_, batch.bytes());
    std::ranges::copy(batch.octets(), copy.begin());
    used_ += batch.bytes();
    return FrameBatch({.slab = slab_, .slab_bytes = slab_bytes, .octets = copy}, {.frames = frames},
                      {.session = first + 1,
                       .read = 1,
                       .received_at = begun + std::chrono::microseconds(microseconds),
                       .width = width});
  }

  /// Of each frame, its sequence and when it was received.
  static std::vector<std::pair<std::uint64_t, std::int64_t>> times_of(const FrameBatch& batch) {
    std::vector<std::pair<std::uint64_t, std::int64_t>> times;
    std::size_t offset = 0;
    for (const FrameView frame : batch) {
      times.emplace_back(frame.header.sequence, (batch.received_at(offset) - begun).count());
      offset += frame.octets.size();
    }
    return times;
  }

  static constexpr ReceiveTime begun{std::chrono::microseconds(1'700'000'000'000'000)};

 private:
  std::shared_ptr<std::byte[]> slab_ = std::make_shared<std::byte[]>(slab_bytes);
  std::size_t used_ = 0;
};

using Time = std::pair<std::uint64_t, std::int64_t>;

TEST_F(JoinedReads, AreOneBatchWithATimePerFrame) {
  FrameBatch batch = read(0, 2, 0);
  ASSERT_TRUE(batch.join(read(2, 1, 50, 7)));
  ASSERT_TRUE(batch.join(read(3, 2, -10)));
  EXPECT_EQ(batch.frames(), 5U);
  EXPECT_EQ(batch.bytes(), 107U);
  EXPECT_THAT(times_of(batch),
              ElementsAre(Time{0, 0}, Time{1, 0}, Time{2, 50}, Time{3, -10}, Time{4, -10}));
  EXPECT_EQ(batch.stamp().session, 0U) << "it came from several";
  EXPECT_THAT(batch.find_runs(),
              ElementsAre(meridian::Run{.origin = {1, 1}, .frames = 5, .first = 0, .bytes = 107}));
}

TEST_F(JoinedReads, KeepTheirTimesThroughEverySplit) {
  for (std::uint32_t count = 1; count < 5; ++count) {
    FrameBatch rest = read(0, 2, 0);
    ASSERT_TRUE(rest.join(read(2, 1, 50)));
    ASSERT_TRUE(rest.join(read(3, 2, 70)));
    const std::vector<Time> all = times_of(rest);
    const FrameBatch front = rest.split_front(count);
    std::vector<Time> parts = times_of(front);
    std::ranges::copy(times_of(rest), std::back_inserter(parts));
    EXPECT_EQ(parts, all);
    EXPECT_EQ(front.stamp().received_at, begun);
    // A part can be joined to as well, and split again.
    ASSERT_TRUE(rest.join(read(5, 1, 90)));
    std::ignore = rest.split_front(rest.frames() - 1);
    EXPECT_THAT(times_of(rest), ElementsAre(Time{5, 90}));
  }
}

TEST_F(JoinedReads, KeepTheirTimesWhereSomeFramesAreTaken) {
  FrameBatch left = read(0, 2, 0);
  ASSERT_TRUE(left.join(read(2, 2, 50)));
  ASSERT_TRUE(left.join(read(4, 1, 70)));
  const FrameBatch taken =
      left.take_if([](const FrameView& frame) { return frame.header.sequence % 2 == 1; });
  EXPECT_THAT(times_of(taken), ElementsAre(Time{1, 0}, Time{3, 50}));
  EXPECT_THAT(times_of(left), ElementsAre(Time{0, 0}, Time{2, 50}, Time{4, 70}));
  EXPECT_EQ(left.footprint() - left.bytes(), 16U);
}

TEST_F(JoinedReads, TakeEightOctetsEach) {
  FrameBatch batch = read(0, 1, 0);
  for (std::uint64_t i = 1; i < 10; ++i) {
    ASSERT_TRUE(batch.join(read(i, 1, static_cast<std::int64_t>(i))));
  }
  std::ignore = batch.compact();
  EXPECT_EQ(batch.footprint(), batch.bytes() + 9U * 8U);
}

TEST_F(JoinedReads, AreConsecutiveInTheSameSlab) {
  FrameBatch first = read(0, 1, 0);
  const FrameBatch second = read(1, 1, 0);
  FrameBatch third = read(2, 1, 0);
  EXPECT_FALSE(first.join(third)) << "there is a frame between them";
  EXPECT_FALSE(third.join(second)) << "the wrong way round";
  EXPECT_FALSE(first.join(batch_of_run({1, 1}, 1, 1)));
  EXPECT_EQ(first.frames(), 1U);
  EXPECT_TRUE(first.join(second));
  EXPECT_TRUE(first.join(third));
}

TEST_F(JoinedReads, AreNotFarApartInTime) {
  FrameBatch batch = read(0, 1, 0);
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  const FrameBatch last = read(1, 1, most);
  EXPECT_FALSE(FrameBatch(batch.share()).join(read(2, 1, most + 1)));
  EXPECT_TRUE(batch.join(last));
  EXPECT_THAT(times_of(batch), ElementsAre(Time{0, 0}, Time{1, most}));
}

TEST_F(JoinedReads, AreNotOfDifferentCounters) {
  FrameBatch batch = read(0, 1, 0);
  EXPECT_FALSE(batch.join(read(1, 1, 0, 0, SequenceWidth::bits14)));
}

}  // namespace
}  // namespace meridian::test
