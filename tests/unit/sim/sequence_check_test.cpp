#include "sim/sequence_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <vector>

namespace meridian::test {

using namespace sim;

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
constexpr Origin origin{.satellite_id = 7, .channel_id = 3};

Run run(std::uint64_t first, std::uint32_t frames, Origin of = origin) {
  return {.origin = of, .frames = frames, .first = first, .bytes = 0};
}

/// A message with one run.
struct Placed {
  std::uint64_t place;
  Run run;
};

void deliver(SequenceCheck& check, const Placed& message) {
  ASSERT_TRUE(check.take_place(message.place));
  check.add(message.place, message.run);
}

OriginReport only_report(const SequenceCheck& check) {
  const std::vector<OriginReport> reports = check.report();
  EXPECT_EQ(reports.size(), 1U);
  return reports.empty() ? OriginReport{} : reports.front();
}

/// What comes of messages that are delivered in this order.
OriginReport report_of(const std::vector<Placed>& messages) {
  SequenceCheck check;
  for (const Placed& message : messages) {
    deliver(check, message);
  }
  return only_report(check);
}

TEST(SequenceCheck, HasNothingToReportOfNothing) {
  SequenceCheck check;
  EXPECT_TRUE(check.take_place(1)) << "a message without frames";
  check.add(1, run(0, 0));
  EXPECT_THAT(check.report(), IsEmpty());
  EXPECT_EQ(check.frames(), 0U);
}

TEST(SequenceCheck, FindsNothingWrongWithFramesInOrder) {
  const OriginReport report = report_of({{1, run(0, 10)}, {2, run(10, 5)}, {3, run(15, 1)}});
  EXPECT_FALSE(report.in_trouble());
  EXPECT_EQ(report.origin, origin);
  EXPECT_EQ(report.frames, 16U);
  EXPECT_EQ(report.lowest, 0U);
  EXPECT_EQ(report.highest, 15U);
}

TEST(SequenceCheck, BeginsWhereAnOriginBegins) {
  EXPECT_FALSE(report_of({{1, run(1'000, 10)}}).in_trouble());
}

TEST(SequenceCheck, CountsHolesAsMissing) {
  const OriginReport report = report_of({{1, run(0, 10)}, {2, run(13, 2)}, {3, run(20, 1)}});
  EXPECT_EQ(report.missing, 8U);
  EXPECT_EQ(report.repeated, 0U);
  EXPECT_EQ(report.out_of_order, 0U);
  EXPECT_THAT(report.holes, ElementsAre(SequenceRange{10, 12}, SequenceRange{15, 19}));
}

TEST(SequenceCheck, CountsFramesThatWereThereAsRepeated) {
  const OriginReport report = report_of({{1, run(0, 10)}, {2, run(5, 10)}, {3, run(2, 3)}});
  EXPECT_EQ(report.frames, 23U);
  EXPECT_EQ(report.repeated, 8U);
  EXPECT_EQ(report.missing, 0U);
  EXPECT_EQ(report.out_of_order, 0U) << "a frame that is repeated is not out of order too";
}

TEST(SequenceCheck, CountsFramesAfterAHigherOneAsDisordered) {
  const OriginReport report = report_of({{1, run(0, 5)}, {2, run(8, 2)}, {3, run(5, 3)}});
  EXPECT_EQ(report.out_of_order, 3U);
  EXPECT_EQ(report.missing, 0U);
  EXPECT_EQ(report.repeated, 0U);
}

TEST(SequenceCheck, DistinguishesLateFromRepeatedFramesInARun) {
  // Of 2 to 11 there were 0 to 4 and 8 to 9.
  const OriginReport report = report_of({{1, run(0, 5)}, {2, run(8, 2)}, {3, run(2, 10)}});
  EXPECT_EQ(report.repeated, 5U);
  EXPECT_EQ(report.out_of_order, 3U) << "10 and 11 are not below any";
}

TEST(SequenceCheck, SeesDisorderInsideAMessage) {
  SequenceCheck check;
  ASSERT_TRUE(check.take_place(1));
  check.add(1, run(5, 5));
  check.add(1, run(0, 5));
  EXPECT_EQ(only_report(check).out_of_order, 5U);
}

TEST(SequenceCheck, KeepsOriginsApart) {
  SequenceCheck check;
  constexpr Origin other{.satellite_id = 7, .channel_id = 4};
  deliver(check, {1, run(0, 10)});
  deliver(check, {2, run(5, 10, other)});
  deliver(check, {3, run(12, 1)});
  deliver(check, {4, run(15, 1, other)});
  EXPECT_EQ(check.origins(), 2U);
  EXPECT_EQ(check.frames(), 22U);
  const std::vector<OriginReport> reports = check.report();
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].origin, origin);
  EXPECT_EQ(reports[0].missing, 2U);
  EXPECT_EQ(reports[1].origin, other);
  EXPECT_FALSE(reports[1].in_trouble());
}

TEST(SequenceCheck, KnowsAMessageThatIsDeliveredAgain) {
  SequenceCheck check;
  EXPECT_TRUE(check.take_place(4));
  EXPECT_FALSE(check.take_place(4));
  EXPECT_TRUE(check.take_place(3));
  EXPECT_FALSE(check.take_place(3));
}

TEST(SequenceCheck, DisorderedDeliveryIsNoDisorderInTheStream) {
  const OriginReport report = report_of(
      {{1, run(0, 10)}, {4, run(30, 10)}, {5, run(40, 10)}, {3, run(20, 10)}, {2, run(10, 10)}});
  EXPECT_FALSE(report.in_trouble()) << report.out_of_order;
}

TEST(SequenceCheck, SeesStreamDisorderHoweverDelivered) {
  // 20 to 29 stand before 10 to 19.
  const OriginReport report =
      report_of({{1, run(0, 10)}, {3, run(10, 10)}, {4, run(30, 10)}, {2, run(20, 10)}});
  EXPECT_EQ(report.out_of_order, 10U);
  EXPECT_EQ(report.missing, 0U);
}

TEST(SequenceCheck, CountsFramesOnceThatWereStoredTwice) {
  SequenceCheck check;
  deliver(check, {1, run(0, 10)});
  deliver(check, {2, run(0, 10)});
  EXPECT_EQ(check.frames(), 20U);
  EXPECT_EQ(check.distinct(), 10U);
}

TEST(SequenceCheck, TellsOfTheLowestHolesOnly) {
  SequenceCheck check;
  for (std::uint64_t place = 1; place <= 2 * most_holes; ++place) {
    deliver(check, {place, run(place * 2, 1)});
  }
  const OriginReport report = only_report(check);
  EXPECT_EQ(report.missing, 2 * most_holes - 1);
  EXPECT_EQ(report.holes.size(), most_holes);
  EXPECT_EQ(report.holes.front(), (SequenceRange{3, 3}));
}

TEST(SequenceCheck, OutlivesACounterThatRollsOver) {
  const OriginReport report = report_of({{1, run(largest - 1, 4)}});
  EXPECT_EQ(report.frames, 4U);
  EXPECT_EQ(report.repeated, 0U);
  EXPECT_EQ(report.lowest, 0U);
  EXPECT_EQ(report.highest, largest);
  EXPECT_EQ(report.out_of_order, 2U);
}

/// The definitions, frame by frame.
OriginReport by_definition(std::vector<Placed> messages) {
  std::ranges::sort(messages, {}, &Placed::place);
  OriginReport report;
  std::set<std::uint64_t> seen;
  for (const Placed& message : messages) {
    for (std::uint32_t i = 0; i < message.run.frames; ++i) {
      const std::uint64_t sequence = message.run.first + i;
      ++report.frames;
      if (seen.contains(sequence)) {
        ++report.repeated;
      } else if (!seen.empty() && *seen.rbegin() > sequence) {
        ++report.out_of_order;
      }
      seen.insert(sequence);
    }
  }
  report.missing = *seen.rbegin() - *seen.begin() + 1 - seen.size();
  return report;
}

TEST(SequenceCheck, FollowsTheDefinitionsInAnyDeliveryOrder) {
  std::mt19937 random(11);
  for (int round = 0; round < 500; ++round) {
    std::vector<Placed> messages;
    std::uint64_t next = 50;
    for (std::uint64_t place = 1; place <= 40; ++place) {
      const auto frames = static_cast<std::uint32_t>(1 + random() % 5);
      // Most go on where the last one ended.
      const std::uint64_t first = random() % 4 == 0 ? random() % 200 : next;
      messages.push_back({place, run(first, frames)});
      next = first + frames;
    }
    const OriginReport expected = by_definition(messages);
    for (int swaps = 0; swaps < round % 20; ++swaps) {
      std::swap(messages[random() % messages.size()], messages[random() % messages.size()]);
    }
    const OriginReport report = report_of(messages);
    ASSERT_EQ(report.frames, expected.frames);
    ASSERT_EQ(report.missing, expected.missing);
    ASSERT_EQ(report.repeated, expected.repeated);
    ASSERT_EQ(report.out_of_order, expected.out_of_order) << "round " << round;
  }
}

}  // namespace
}  // namespace meridian::test
