#include "aggregator/sequence_state.hpp"

#include "unit/aggregator/sequence_model.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <ostream>
#include <random>
#include <string>

namespace meridian::test {

using namespace aggregator;
namespace {

constexpr std::uint64_t m14 = std::uint64_t{1} << 14;
constexpr std::uint64_t quarter14 = m14 / 4;
constexpr std::uint64_t half14 = m14 / 2;
constexpr std::uint64_t quarter64 = std::uint64_t{1} << 62;
constexpr std::uint64_t half64 = std::uint64_t{1} << 63;
constexpr std::uint64_t last64 = std::numeric_limits<std::uint64_t>::max();

meridian::Run run(std::uint64_t first, std::uint32_t frames = 1) {
  return {.origin = {}, .frames = frames, .first = first, .bytes = 0};
}

/// What one step did to the counters, and where it left the last sequence.
struct Judgement {
  std::uint64_t gaps = 0;
  std::uint64_t missing = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t late = 0;
  std::uint64_t jumps = 0;
  std::uint64_t resets = 0;
  std::uint64_t last = 0;

  friend bool operator==(const Judgement&, const Judgement&) = default;
  friend void PrintTo(const Judgement& judgement, std::ostream* out) {
    *out << "{gaps " << judgement.gaps << ", missing " << judgement.missing << ", duplicates "
         << judgement.duplicates << ", late " << judgement.late << ", jumps " << judgement.jumps
         << ", resets " << judgement.resets << ", last " << judgement.last << "}";
  }
};

Judgement judgement_of(const SequenceState& state) {
  const SequenceStats stats = state.stats();
  return {stats.gaps,  stats.missing, stats.duplicates,           stats.late,
          stats.jumps, stats.resets,  stats.last_sequence.value()};
}

void observe(SequenceState& state, const meridian::Run& run, SequenceWidth width) {
  state.observe(run, width, default_reset_after);
}

struct Step {
  const char* name;
  SequenceWidth width;
  std::uint64_t last;
  meridian::Run next;
  Judgement judgement;
};

void PrintTo(const Step& step, std::ostream* out) {
  *out << step.name;
}

class SequenceStep : public testing::TestWithParam<Step> {};

TEST_P(SequenceStep, IsJudgedByItsDistance) {
  const Step& step = GetParam();
  SequenceState state;
  observe(state, run(step.last), step.width);
  observe(state, step.next, step.width);
  EXPECT_EQ(judgement_of(state), step.judgement);
}

constexpr auto w14 = SequenceWidth::bits14;
constexpr auto w64 = SequenceWidth::bits64;

INSTANTIATE_TEST_SUITE_P(
    SingleFrames, SequenceStep,
    testing::Values(
        Step{"Same", w64, 100, run(100), {.duplicates = 1, .last = 100}},
        Step{"Next", w64, 100, run(101), {.last = 101}},
        Step{"OneMissing", w64, 100, run(102), {.gaps = 1, .missing = 1, .last = 102}},
        Step{"ManyMissing", w64, 100, run(1100), {.gaps = 1, .missing = 999, .last = 1100}},
        Step{"OneBehind", w64, 100, run(99), {.late = 1, .last = 100}},
        Step{"FarBehind", w64, 100, run(0), {.late = 1, .last = 100}},
        Step{"AQuarterOfTheCounterAhead64",
             w64,
             0,
             run(quarter64),
             {.gaps = 1, .missing = quarter64 - 1, .last = quarter64}},
        Step{"OverAQuarterOfTheCounterAhead64", w64, 0, run(quarter64 + 1), {.jumps = 1}},
        Step{"HalfTheCounterAhead64", w64, 0, run(half64), {.jumps = 1}},
        Step{"OverHalfTheCounterAhead64", w64, 0, run(half64 + 1), {.late = 1, .last = 0}},
        Step{"RollOver64", w64, last64, run(0), {.last = 0}},
        Step{"GapOverTheRollOver64", w64, last64 - 1, run(1), {.gaps = 1, .missing = 2, .last = 1}},
        Step{"LateOverTheRollOver64", w64, 1, run(last64), {.late = 1, .last = 1}},
        Step{"AQuarterOfTheCounterAhead14",
             w14,
             10,
             run(10 + quarter14),
             {.gaps = 1, .missing = quarter14 - 1, .last = 10 + quarter14}},
        Step{"OverAQuarterOfTheCounterAhead14",
             w14,
             10,
             run(10 + quarter14 + 1),
             {.jumps = 1, .last = 10}},
        Step{"HalfTheCounterAhead14", w14, 10, run(10 + half14), {.jumps = 1, .last = 10}},
        Step{"OverHalfTheCounterAhead14", w14, 10, run(10 + half14 + 1), {.late = 1, .last = 10}},
        Step{"RollOver14", w14, m14 - 1, run(0), {.last = 0}},
        Step{"GapOverTheRollOver14", w14, m14 - 2, run(3), {.gaps = 1, .missing = 4, .last = 3}},
        Step{"LateOverTheRollOver14", w14, 2, run(m14 - 3), {.late = 1, .last = 2}},
        Step{"AQuarterOfTheCounterAheadOverTheRollOver14",
             w14,
             m14 - quarter14 + 5,
             run(5),
             {.gaps = 1, .missing = quarter14 - 1, .last = 5}},
        Step{"HalfTheCounterAheadOverTheRollOver14",
             w14,
             half14 + 5,
             run(5),
             {.jumps = 1, .last = half14 + 5}},
        Step{"NoRollOverAt14BitsOf64", w64, m14 - 1, run(0), {.late = 1, .last = m14 - 1}}),
    [](const auto& each) { return std::string(each.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Runs, SequenceStep,
    testing::Values(
        Step{"InOrder", w64, 9, run(10, 5), {.last = 14}},
        Step{"BehindAGap", w64, 9, run(12, 5), {.gaps = 1, .missing = 2, .last = 16}},
        Step{"BeginningWithADuplicate", w64, 9, run(9, 5), {.duplicates = 1, .last = 13}},
        Step{"AllLate", w64, 9, run(3, 5), {.late = 5, .last = 9}},
        Step{"LateUpToTheLastOne", w64, 9, run(5, 5), {.duplicates = 1, .late = 4, .last = 9}},
        Step{"LateAndThenOn", w64, 9, run(5, 8), {.duplicates = 1, .late = 4, .last = 12}},
        Step{"SevenLate", w64, 99, run(3, 7), {.late = 7, .last = 99}},
        Step{"EightLate", w64, 99, run(3, 8), {.resets = 1, .last = 10}},
        Step{"ManyLate", w64, 99, run(3, 50), {.resets = 1, .last = 52}},
        Step{"ManyLateUpToTheLastOne", w64, 99, run(3, 100), {.resets = 1, .last = 102}},
        Step{"SevenFarAhead", w64, 99, run(half64, 7), {.jumps = 7, .last = 99}},
        Step{"EightFarAhead", w64, 99, run(half64, 8), {.resets = 1, .last = half64 + 7}},
        Step{
            "SevenOverTheMiddle14", w14, 0, run(half14 - 2, 7), {.late = 4, .jumps = 3, .last = 0}},
        Step{"EightOverTheMiddle14", w14, 0, run(half14 - 2, 8), {.resets = 1, .last = half14 + 5}},
        Step{"EightOverTheRollOver14", w14, 9000, run(m14 - 3, 8), {.resets = 1, .last = 4}},
        Step{"OverTheRollOver14", w14, m14 - 3, run(m14 - 2, 5), {.last = 2}},
        Step{"LongerThanHalfTheCounter14",
             w14,
             0,
             run(1, static_cast<std::uint32_t>(half14) + 100),
             {.last = half14 + 100}}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(SequenceState, TakesTheFirstFrameAsItComes) {
  SequenceState state;
  EXPECT_FALSE(state.stats().last_sequence.has_value());
  observe(state, run(12345, 3), w64);
  EXPECT_EQ(judgement_of(state), (Judgement{.last = 12347}));
}

TEST(SequenceState, AddsUpOverManySteps) {
  SequenceState state;
  for (const std::uint64_t sequence : {0U, 1U, 1U, 5U, 3U, 4U, 6U, 10U}) {
    observe(state, run(sequence), w64);
  }
  EXPECT_EQ(judgement_of(state),
            (Judgement{.gaps = 2, .missing = 6, .duplicates = 1, .late = 2, .last = 10}));
}

Judgement judgement_of(const test::FrameByFrame& model) {
  return {model.gaps,  model.missing, model.duplicates,      model.late,
          model.jumps, model.resets,  model.last.value_or(0)};
}

class SequenceModel : public testing::TestWithParam<SequenceWidth> {};

TEST_P(SequenceModel, JudgesRunsAsFrameByFrame) {
  const SequenceWidth width = GetParam();
  const std::uint64_t mask = width == w14 ? m14 - 1 : last64;
  std::mt19937_64 random(14);
  const auto up_to = [&](std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(0, most)(random);
  };
  for (int stream = 0; stream < 50; ++stream) {
    SequenceState state;
    test::FrameByFrame model(width);
    std::uint64_t at = up_to(mask);
    for (int step = 0; step < 200; ++step) {
      switch (up_to(6)) {
        case 0:
          at += up_to(20);  // mostly a gap
          break;
        case 1:
          at -= up_to(20);  // back
          break;
        case 2:
          at = up_to(mask);  // anywhere
          break;
        case 3:
          at = (at - up_to(mask)) & mask;  // a counter that begins anew
          for (std::uint64_t left = up_to(12); left > 0; --left) {
            const auto few = static_cast<std::uint32_t>(1 + up_to(3));
            observe(state, run(at, few), width);
            model.observe_run(at, few);
            at = (at + few) & mask;
          }
          break;
        default:
          break;  // in order
      }
      at &= mask;
      const auto frames = static_cast<std::uint32_t>(1 + up_to(up_to(9) == 0 ? 9000 : 30));
      observe(state, run(at, frames), width);
      model.observe_run(at, frames);
      at = (at + frames) & mask;
      ASSERT_EQ(judgement_of(state), judgement_of(model))
          << "stream " << stream << ", step " << step;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Each, SequenceModel, testing::Values(w14, w64), [](const auto& each) {
  return each.param == w14 ? std::string("Bits14") : std::string("Bits64");
});

TEST(SequenceState, MissingCountStopsAtTheLargestNumber) {
  SequenceState state;
  for (std::uint64_t i = 0; i < 6; ++i) {
    observe(state, run(i * quarter64), w64);
  }
  EXPECT_EQ(judgement_of(state), (Judgement{.gaps = 5, .missing = last64, .last = quarter64}));
}

TEST(SequenceReset, IsCountedOnceAndLaterGapsAreSeen) {
  SequenceState state;
  observe(state, run(1'000'000, 10), w64);
  for (std::uint64_t sequence = 0; sequence < 2000; ++sequence) {
    if (sequence < 1000 || sequence >= 1600) {
      observe(state, run(sequence), w64);
    }
  }
  EXPECT_EQ(judgement_of(state), (Judgement{.gaps = 1, .missing = 600, .resets = 1, .last = 1999}));
}

TEST(SequenceReset, IsSeenForSpacePacketsAtAnyDistance) {
  for (std::uint64_t last = 0; last < m14; last += 37) {
    SequenceState state;
    observe(state, run(last), w14);
    for (std::uint64_t sequence = 0; sequence < 20; ++sequence) {
      observe(state, run(sequence), w14);
    }
    const Judgement judgement = judgement_of(state);
    EXPECT_EQ(judgement.last, 19U) << last;
    EXPECT_EQ(judgement.late + judgement.jumps, 0U) << last;
  }
}

TEST(SequenceReset, NeedsConsecutiveFrames) {
  SequenceState state;
  observe(state, run(1000), w64);
  for (std::uint64_t sequence = 0; sequence < 200; sequence += 2) {
    observe(state, run(sequence), w64);
  }
  EXPECT_EQ(judgement_of(state), (Judgement{.late = 100, .last = 1000}));
}

TEST(SequenceReset, IsNotSeenWhileTheOldCounterContinues) {
  SequenceState state;
  observe(state, run(1000), w64);
  for (std::uint64_t i = 0; i < 100; ++i) {
    observe(state, run(i), w64);
    observe(state, run(1001 + i), w64);
  }
  EXPECT_EQ(judgement_of(state), (Judgement{.late = 100, .last = 1100}));
}

TEST(SequenceReset, IsNoneForASingleWildFrame) {
  for (const std::uint64_t wild : {std::uint64_t{3}, half64 + 2000, quarter64 + 2000}) {
    SequenceState state;
    observe(state, run(1000, 5), w64);
    observe(state, run(wild), w64);
    observe(state, run(1005, 50), w64);
    const bool is_late = wild != quarter64 + 2000;
    EXPECT_EQ(judgement_of(state),
              (Judgement{.late = is_late ? 1U : 0U, .jumps = is_late ? 0U : 1U, .last = 1054}))
        << wild;
  }
}

TEST(SequenceReset, ComesAfterTheRequestedNumberOfFrames) {
  SequenceState state;
  state.observe(run(1000), w64, 3);
  state.observe(run(0, 2), w64, 3);
  EXPECT_EQ(judgement_of(state), (Judgement{.late = 2, .last = 1000}));
  state.observe(run(2), w64, 3);
  EXPECT_EQ(judgement_of(state), (Judgement{.resets = 1, .last = 2}));
  state.observe(run(1'000'000, 5), w64, 100);  // a gap
  state.observe(run(0, 99), w64, 100);
  EXPECT_EQ(judgement_of(state).resets, 1U);
  state.observe(run(99), w64, 2);  // fewer are asked for than there are
  EXPECT_EQ(judgement_of(state).resets, 2U);
  EXPECT_EQ(judgement_of(state).late, 0U);
}

TEST(SequenceReset, TakesNothingBackFromWhatIsSettled) {
  SequenceState state;
  observe(state, run(1000), w64);
  std::uint64_t settled = 0;
  for (const std::uint64_t first : {10U, 500U, 20U}) {
    observe(state, run(first, 5), w64);
    EXPECT_GE(state.settled().late, settled) << first;
    settled = state.settled().late;
  }
  EXPECT_EQ(settled, 10U);
  EXPECT_EQ(state.stats().late, 15U);
  EXPECT_EQ(state.stats().unsettled.frames(), 5U);
  observe(state, run(25, 3), w64);
  EXPECT_EQ(state.settled().late, 10U);
  EXPECT_EQ(judgement_of(state), (Judgement{.late = 10, .resets = 1, .last = 27}));
}

TEST(SequenceReset, IsSeenOverARestart) {
  for (std::uint32_t before = 0; before <= 8; ++before) {
    SequenceState state;
    observe(state, run(1000), w64);
    for (std::uint32_t i = 0; i < before; ++i) {
      observe(state, run(i), w64);
    }
    SequenceState restored(state.stats());
    observe(restored, run(before, 12 - before), w64);
    EXPECT_EQ(judgement_of(restored), (Judgement{.resets = 1, .last = 11})) << before;
  }
}

TEST(SequenceState, IgnoresImpossibleUnsettledFramesInASavedState) {
  SequenceStats saved;
  saved.last_sequence = 1000;
  saved.late = 3;
  saved.unsettled = {.next = 7, .late = 4, .jumps = 0};
  SequenceState state(saved);
  EXPECT_EQ(state.settled().late, 3U);
  observe(state, run(7, 4), w64);
  EXPECT_EQ(judgement_of(state), (Judgement{.late = 7, .last = 1000}));
}

}  // namespace
}  // namespace meridian::test
