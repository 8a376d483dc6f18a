// How much room the buffer has: for which frames, and why there may be none.
#include "aggregator/buffer_room.hpp"

#include "unit/aggregator/noting_buffer.hpp"
#include "unit/frame/frame_samples.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>

namespace meridian::test {

using namespace aggregator;
namespace {

/// Of 20 octets each, and of `payload_bytes`.
FrameBatch some_frames(std::uint32_t count, std::size_t payload_bytes = 0) {
  return batch_of_run({1, 1}, 0, count, payload_bytes);
}

TEST(BufferRoom, AdmitsWhatFitsBesideAllThatKeepsRoom) {
  BufferRoom room(limits(10, any, WhenFull::backpressure));
  room.add({.frames = 4, .bytes = 80});
  room.keep({.frames = 3, .bytes = 60}, KeptRoom::lent);
  room.keep({.frames = 1, .bytes = 20}, KeptRoom::leased);
  EXPECT_EQ(room.admits(some_frames(8)), 2U);
  EXPECT_EQ(room.frames_that_fit(some_frames(8)), 5U) << "lent frames do not count here";
  room.settle({.frames = 3, .bytes = 60}, KeptRoom::lent);
  EXPECT_EQ(room.admits(some_frames(8)), 5U);
}

TEST(BufferRoom, AdmitsEverythingUnlessItHoldsBack) {
  BufferRoom room(limits(2, any, WhenFull::drop_newest));
  EXPECT_FALSE(room.holds_back());
  EXPECT_EQ(room.admits(some_frames(8)), 8U);
  room.set_limits(limits(2, any, WhenFull::backpressure));
  EXPECT_TRUE(room.holds_back());
  EXPECT_EQ(room.admits(some_frames(8)), 2U);
  room.release_backpressure();
  EXPECT_FALSE(room.holds_back());
  EXPECT_EQ(room.admits(some_frames(8)), 8U);
}

TEST(BufferRoom, LetsNoFrameWaitThatWouldNeverFit) {
  BufferRoom room(limits(any, 100, WhenFull::backpressure));
  room.add({.frames = 1, .bytes = 100});
  EXPECT_EQ(room.admits(some_frames(2, 81)), 2U);
  EXPECT_EQ(room.frames_too_large(some_frames(2, 81)), 2U);
  EXPECT_EQ(room.frames_too_large(some_frames(2, 80)), 0U);
  EXPECT_EQ(room.admits(some_frames(2, 80)), 0U);
}

TEST(BufferRoom, CountsLeadingFramesThatFindNoRoom) {
  BufferRoom room(limits(any, 100, WhenFull::drop_newest));
  room.add({.frames = 1, .bytes = 50});
  EXPECT_EQ(room.frames_without_room(some_frames(2, 31)), 2U);
  EXPECT_EQ(room.frames_without_room(some_frames(2, 30)), 0U) << "one of them fits";
  room.add({.frames = 1, .bytes = 31});
  EXPECT_EQ(room.frames_without_room(some_frames(2)), 2U) << "not even a header fits";
}

TEST(BufferRoom, CountsLeadingFramesThatFitBesideLeases) {
  BufferRoom room(limits(2, 100, WhenFull::drop_oldest));
  room.add({.frames = 1, .bytes = 40});
  room.keep({.frames = 1, .bytes = 60}, KeptRoom::leased);
  EXPECT_EQ(room.frames_beside_leases(some_frames(2, 20)), 2U) << "each on its own";
  EXPECT_EQ(room.frames_beside_leases(some_frames(2, 21)), 0U);
  room.keep({.frames = 1, .bytes = 20}, KeptRoom::leased);
  EXPECT_EQ(room.frames_beside_leases(some_frames(2)), 0U) << "all of its frames are leased";
}

TEST(BufferRoom, IsLackingOnlyIfDrainingWouldHelp) {
  BufferRoom room(limits(10, 1000, WhenFull::backpressure));
  room.add({.frames = 9, .bytes = 180});
  EXPECT_FALSE(room.lacks_room_for(some_frames(1)));
  EXPECT_TRUE(room.lacks_room_for(some_frames(2)));
  EXPECT_FALSE(room.lacks_room_for(some_frames(2, 981))) << "larger than the whole buffer";
  room.keep({.frames = 10, .bytes = 200}, KeptRoom::lent);
  EXPECT_FALSE(room.lacks_room_for(some_frames(2))) << "what is lent cannot make room";
}

TEST(BufferRoom, ExcusesAnExcessDueToNarrowerLimits) {
  BufferRoom room(limits(10, any, WhenFull::backpressure));
  room.add({.frames = 4, .bytes = 80});
  const Amount before = room.excused_level();
  room.set_limits(limits(2, any, WhenFull::backpressure));
  room.excuse_up_to(before);
  room.forget_excuse();
  EXPECT_FALSE(room.within_limits());
  EXPECT_FALSE(room.waits_for_its_limits());
  room.keep({.frames = 1, .bytes = 20}, KeptRoom::lent);
  EXPECT_TRUE(room.waits_for_its_limits()) << "a frame has passed";
}

TEST(BufferRoom, ForgetsItsExcuseOnceWithinTheLimits) {
  BufferRoom room(limits(2, any, WhenFull::backpressure));
  room.add({.frames = 4, .bytes = 80});
  room.excuse_all();
  EXPECT_FALSE(room.waits_for_its_limits());
  room.remove({.frames = 3, .bytes = 60});
  room.forget_excuse();
  room.keep({.frames = 2, .bytes = 40}, KeptRoom::leased);
  EXPECT_TRUE(room.waits_for_its_limits());
}

TEST(BufferRoom, RefusesToLoseMoreThanWasCounted) {
  BufferRoom room(limits(10, any, WhenFull::drop_oldest));
  room.add({.frames = 2, .bytes = 40});
  EXPECT_THROW(room.remove({.frames = 2, .bytes = 41}), std::logic_error);
  EXPECT_THROW(room.remove({.frames = 3, .bytes = 40}), std::logic_error);
  EXPECT_THROW(room.settle({.frames = 1, .bytes = 20}, KeptRoom::lent), std::logic_error);
  EXPECT_THROW(room.settle({.frames = 1, .bytes = 20}, KeptRoom::leased), std::logic_error);
  EXPECT_NO_THROW(room.settle({.frames = 1, .bytes = 20}, KeptRoom::none));
  EXPECT_EQ(room.depth(), (Amount{.frames = 2, .bytes = 40}));
}

TEST(BufferRoom, RemembersItsHighestLevels) {
  BufferRoom room(limits(10, any, WhenFull::drop_oldest));
  room.add({.frames = 6, .bytes = 120});
  room.note_high_water();
  room.remove({.frames = 4, .bytes = 80});
  room.note_high_water();
  EXPECT_EQ(room.take_peak().frames, 6U);
  EXPECT_EQ(room.take_peak().frames, 2U) << "since the last call";
  EXPECT_EQ(room.level().high_water.frames, 6U);
  EXPECT_EQ(room.level().now.frames, 2U);
}

}  // namespace
}  // namespace meridian::test
