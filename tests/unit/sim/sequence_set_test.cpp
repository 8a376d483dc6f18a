#include "sim/sequence_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <ostream>
#include <random>
#include <set>
#include <vector>

namespace meridian::test {

using namespace sim;

void PrintTo(const SequenceRange& range, std::ostream* out) {
  *out << range.first << " to " << range.last;
}

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t largest_sequence = std::numeric_limits<std::uint64_t>::max();

TEST(SequenceSet, IsEmptyAtFirst) {
  const SequenceSet set;
  EXPECT_TRUE(set.empty());
  EXPECT_EQ(set.size(), 0U);
  EXPECT_EQ(set.missing(), 0U);
  EXPECT_EQ(set.count_absent({0, largest_sequence - 1}), largest_sequence);
  EXPECT_THAT(set.holes(10), IsEmpty());
}

TEST(SequenceSet, GoesOnWhereItEnded) {
  SequenceSet set;
  EXPECT_EQ(set.add({5, 9}), 5U);
  EXPECT_EQ(set.add({10, 10}), 1U);
  EXPECT_EQ(set.add({11, 20}), 10U);
  EXPECT_EQ(set.size(), 16U);
  EXPECT_EQ(set.lowest(), 5U);
  EXPECT_EQ(set.highest(), 20U);
  EXPECT_EQ(set.missing(), 0U);
}

TEST(SequenceSet, CountsOnlyWhatIsNew) {
  SequenceSet set;
  set.add({10, 19});
  EXPECT_EQ(set.add({10, 19}), 0U);
  EXPECT_EQ(set.add({12, 14}), 0U);
  EXPECT_EQ(set.add({8, 11}), 2U);
  EXPECT_EQ(set.add({18, 21}), 2U);
  EXPECT_EQ(set.add({0, 30}), 17U);
  EXPECT_EQ(set.size(), 31U);
}

TEST(SequenceSet, KnowsItsHoles) {
  SequenceSet set;
  set.add({10, 19});
  set.add({30, 39});
  set.add({50, 50});
  EXPECT_EQ(set.missing(), 20U);
  EXPECT_THAT(set.holes(10), ElementsAre(SequenceRange{20, 29}, SequenceRange{40, 49}));
  EXPECT_THAT(set.holes(1), ElementsAre(SequenceRange{20, 29}));
  EXPECT_FALSE(set.covers({19, 30}));
  EXPECT_TRUE(set.covers({30, 39}));
  EXPECT_EQ(set.add({20, 49}), 20U);
  EXPECT_THAT(set.holes(10), IsEmpty());
  EXPECT_TRUE(set.covers({10, 50}));
}

TEST(SequenceSet, HasRoomForTheLargestNumber) {
  SequenceSet set;
  EXPECT_EQ(set.add({largest_sequence, largest_sequence}), 1U);
  EXPECT_EQ(set.add({largest_sequence, largest_sequence}), 0U);
  EXPECT_EQ(set.add({0, 0}), 1U) << "0 does not follow it";
  EXPECT_EQ(set.add({largest_sequence - 1, largest_sequence}), 1U);
  EXPECT_THAT(set.holes(10), ElementsAre(SequenceRange{1, largest_sequence - 2}));
  EXPECT_EQ(set.missing(), largest_sequence - 2);
}

TEST(SequenceSet, EqualsASetOfSingleNumbers) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    SequenceSet set;
    std::set<std::uint64_t> singles;
    for (int i = 0; i < 30; ++i) {
      const std::uint64_t first = random() % 100;
      const std::uint64_t last = first + random() % 12;
      std::uint64_t absent = 0;
      for (std::uint64_t number = first; number <= last; ++number) {
        absent += singles.insert(number).second ? 1 : 0;
      }
      ASSERT_EQ(set.count_absent({first, last}), absent);
      ASSERT_EQ(set.add({first, last}), absent);
      ASSERT_TRUE(set.covers({first, last}));
      ASSERT_EQ(set.size(), singles.size());
      ASSERT_EQ(set.lowest(), *singles.begin());
      ASSERT_EQ(set.highest(), *singles.rbegin());
      ASSERT_EQ(set.missing(), set.highest() - set.lowest() + 1 - singles.size());
    }
    for (const SequenceRange& hole : set.holes(1000)) {
      ASSERT_EQ(set.count_absent(hole), hole.last - hole.first + 1);
      ASSERT_TRUE(singles.contains(hole.first - 1));
      ASSERT_TRUE(singles.contains(hole.last + 1));
    }
  }
}

}  // namespace
}  // namespace meridian::test
