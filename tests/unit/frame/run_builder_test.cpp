#include "frame/run_builder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <limits>
#include <tuple>

namespace meridian::test {

using namespace frame;
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Origin a{.satellite_id = 1, .channel_id = 1};
constexpr Origin b{.satellite_id = 2, .channel_id = 1};

TEST(RunBuilder, MakesOneRunOfConsecutiveSequences) {
  RunBuilder runs(SequenceWidth::bits64);
  for (std::uint64_t sequence = 10; sequence < 15; ++sequence) {
    runs.add(a, sequence, 100 + sequence);
  }
  EXPECT_THAT(runs.take().runs,
              ElementsAre(meridian::Run{.origin = a, .frames = 5, .first = 10, .bytes = 560}));
}

TEST(RunBuilder, CountsFramesAndBeginsAnew) {
  RunBuilder runs(SequenceWidth::bits64);
  runs.add(a, 1, 20);
  runs.add(b, 1, 20);
  EXPECT_EQ(runs.frames(), 2U);
  EXPECT_EQ(runs.take().frames, 2U);
  EXPECT_EQ(runs.frames(), 0U);
  runs.add(a, 2, 30);
  EXPECT_EQ(runs.take().frames, 1U);
}

TEST(RunBuilder, GoesOnBehindFramesThatAreAlike) {
  RunBuilder runs(SequenceWidth::bits64);
  runs.add(a, 1, 20);
  runs.add(b, 5, 20);
  runs.add_alike(3, 20);
  runs.add(b, 9, 20);
  runs.add(a, 2, 20);
  runs.add_alike(0, 20);
  const FrameSummary found = runs.take();
  EXPECT_EQ(found.frames, 7U);
  EXPECT_EQ(found.frame_bytes, 20U);
  EXPECT_THAT(found.runs,
              ElementsAre(meridian::Run{.origin = a, .frames = 2, .first = 1, .bytes = 40},
                          meridian::Run{.origin = b, .frames = 5, .first = 5, .bytes = 100}));
}

TEST(RunBuilder, KnowsTheFrameSizeOnlyIfAllAgree) {
  const auto frame_bytes_of = [](std::initializer_list<std::size_t> sizes) {
    RunBuilder runs(SequenceWidth::bits64);
    runs.add(b, 7, 999);  // of the batch before
    std::ignore = runs.take();
    for (const std::size_t bytes : sizes) {
      runs.add(a, 1, bytes);
    }
    return runs.take().frame_bytes;
  };
  EXPECT_EQ(frame_bytes_of({20}), 20U);
  EXPECT_EQ(frame_bytes_of({20, 20, 20}), 20U);
  EXPECT_EQ(frame_bytes_of({20, 20, 24}), 0U);
  EXPECT_EQ(frame_bytes_of({24, 20, 24}), 0U);
  EXPECT_EQ(frame_bytes_of({20, 24, 16}), 0U) << "the same sum";
}

TEST(RunBuilder, StartsARunAtEveryBreakInSequence) {
  RunBuilder runs(SequenceWidth::bits64);
  for (const std::uint64_t sequence : {1U, 2U, 4U, 4U, 3U, 4U}) {
    runs.add(a, sequence, 1);
  }
  EXPECT_THAT(runs.take().runs,
              ElementsAre(meridian::Run{.origin = a, .frames = 2, .first = 1, .bytes = 2},
                          meridian::Run{.origin = a, .frames = 1, .first = 4, .bytes = 1},
                          meridian::Run{.origin = a, .frames = 1, .first = 4, .bytes = 1},
                          meridian::Run{.origin = a, .frames = 2, .first = 3, .bytes = 2}));
}

TEST(RunBuilder, MakesOneRunEachOfInterleavedOrigins) {
  RunBuilder runs(SequenceWidth::bits64);
  for (std::uint64_t sequence = 0; sequence < 100; ++sequence) {
    for (SatelliteId satellite = 0; satellite < 8; ++satellite) {
      runs.add({.satellite_id = satellite}, 1000 * satellite + sequence, 10);
    }
  }
  const std::vector<meridian::Run> found = runs.take().runs;
  ASSERT_EQ(found.size(), 8U);
  for (SatelliteId satellite = 0; satellite < 8; ++satellite) {
    EXPECT_EQ(found[satellite], (meridian::Run{.origin = {.satellite_id = satellite},
                                               .frames = 100,
                                               .first = 1000 * satellite,
                                               .bytes = 1000}));
  }
}

TEST(RunBuilder, ContinuesOnlyTheNewestRunOfAnOrigin) {
  RunBuilder runs(SequenceWidth::bits64);
  runs.add(a, 1, 1);
  runs.add(a, 7, 1);
  runs.add(b, 1, 1);
  runs.add(a, 2, 1);  // continues the first run of `a`, which is behind the second
  EXPECT_THAT(runs.take().runs,
              ElementsAre(meridian::Run{.origin = a, .frames = 1, .first = 1, .bytes = 1},
                          meridian::Run{.origin = a, .frames = 1, .first = 7, .bytes = 1},
                          meridian::Run{.origin = b, .frames = 1, .first = 1, .bytes = 1},
                          meridian::Run{.origin = a, .frames = 1, .first = 2, .bytes = 1}));
}

TEST(RunBuilder, TellsChannelsOfOneSatelliteApart) {
  RunBuilder runs(SequenceWidth::bits64);
  runs.add({.satellite_id = 1, .channel_id = 1}, 1, 1);
  runs.add({.satellite_id = 1, .channel_id = 2}, 2, 1);
  EXPECT_EQ(runs.take().runs.size(), 2U);
}

TEST(RunBuilder, SeparatesStoredFramesFromLiveOnesInOrder) {
  RunBuilder runs(SequenceWidth::bits64);
  runs.add(a, 1, 1);
  runs.add(a, 2, 1, true);
  runs.add_alike(1, 1);
  runs.add(b, 5, 1);
  runs.add(a, 4, 1);
  runs.add(a, 4, 1, true);
  EXPECT_THAT(
      runs.take().runs,
      ElementsAre(meridian::Run{.origin = a, .frames = 1, .first = 1, .bytes = 1},
                  meridian::Run{.origin = a, .frames = 2, .first = 2, .bytes = 2, .stored = true},
                  meridian::Run{.origin = b, .frames = 1, .first = 5, .bytes = 1},
                  meridian::Run{.origin = a, .frames = 1, .first = 4, .bytes = 1},
                  meridian::Run{.origin = a, .frames = 1, .first = 4, .bytes = 1, .stored = true}));
}

TEST(RunBuilder, ContinuesOverARollOverOf14Bits) {
  RunBuilder runs(SequenceWidth::bits14);
  for (const std::uint64_t sequence : {16382U, 16383U, 0U, 1U}) {
    runs.add(a, sequence, 1);
  }
  EXPECT_THAT(runs.take().runs,
              ElementsAre(meridian::Run{.origin = a, .frames = 4, .first = 16382, .bytes = 4}));
}

TEST(RunBuilder, DoesNotTake16383ForTheEndOf64Bits) {
  RunBuilder runs(SequenceWidth::bits64);
  runs.add(a, 16383, 1);
  runs.add(a, 0, 1);
  EXPECT_EQ(runs.take().runs.size(), 2U);
}

TEST(RunBuilder, ContinuesOverARollOverOf64Bits) {
  RunBuilder runs(SequenceWidth::bits64);
  runs.add(a, std::numeric_limits<std::uint64_t>::max(), 1);
  runs.add(a, 0, 1);
  EXPECT_THAT(runs.take().runs,
              ElementsAre(meridian::Run{.origin = a,
                                        .frames = 2,
                                        .first = std::numeric_limits<std::uint64_t>::max(),
                                        .bytes = 2}));
}

TEST(RunBuilder, IsEmptyAfterTake) {
  RunBuilder runs(SequenceWidth::bits64);
  runs.add(a, 1, 1);
  EXPECT_EQ(runs.take().runs.size(), 1U);
  EXPECT_THAT(runs.take().runs, IsEmpty());
  runs.add(a, 2, 1);
  EXPECT_THAT(runs.take().runs,
              ElementsAre(meridian::Run{.origin = a, .frames = 1, .first = 2, .bytes = 1}));
}

}  // namespace
}  // namespace meridian::test
