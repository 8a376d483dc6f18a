#include "aggregator/sequence_state.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <ostream>
#include <random>
#include <string>

namespace meridian {
namespace {

constexpr std::uint64_t m14 = std::uint64_t{1} << 14;
constexpr std::uint64_t half14 = m14 / 2;
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
  std::uint64_t last = 0;

  friend bool operator==(const Judgement&, const Judgement&) = default;
  friend void PrintTo(const Judgement& judgement, std::ostream* out) {
    *out << "{gaps " << judgement.gaps << ", missing " << judgement.missing << ", duplicates "
         << judgement.duplicates << ", late " << judgement.late << ", last " << judgement.last
         << "}";
  }
};

Judgement judgement_of(const SequenceState& state) {
  const SequenceState::Counts& counts = state.counts();
  return {counts.gaps, counts.missing, counts.duplicates, counts.late, state.last().value()};
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

class SequenceStep : public ::testing::TestWithParam<Step> {};

TEST_P(SequenceStep, IsJudgedByItsDistance) {
  const Step& step = GetParam();
  SequenceState state;
  state.observe(run(step.last), step.width);
  state.observe(step.next, step.width);
  EXPECT_EQ(judgement_of(state), step.judgement);
}

constexpr auto w14 = SequenceWidth::bits14;
constexpr auto w64 = SequenceWidth::bits64;

INSTANTIATE_TEST_SUITE_P(
    SingleFrames, SequenceStep,
    ::testing::Values(
        Step{"Same", w64, 100, run(100), {.duplicates = 1, .last = 100}},
        Step{"Next", w64, 100, run(101), {.last = 101}},
        Step{"OneMissing", w64, 100, run(102), {.gaps = 1, .missing = 1, .last = 102}},
        Step{"ManyMissing", w64, 100, run(1100), {.gaps = 1, .missing = 999, .last = 1100}},
        Step{"OneBehind", w64, 100, run(99), {.late = 1, .last = 100}},
        Step{"FarBehind", w64, 100, run(0), {.late = 1, .last = 100}},
        Step{"HalfTheCounterAhead64",
             w64,
             0,
             run(half64),
             {.gaps = 1, .missing = half64 - 1, .last = half64}},
        Step{"OverHalfTheCounterAhead64", w64, 0, run(half64 + 1), {.late = 1, .last = 0}},
        Step{"RollOver64", w64, last64, run(0), {.last = 0}},
        Step{"GapOverTheRollOver64", w64, last64 - 1, run(1), {.gaps = 1, .missing = 2, .last = 1}},
        Step{"LateOverTheRollOver64", w64, 1, run(last64), {.late = 1, .last = 1}},
        Step{"HalfTheCounterAhead14",
             w14,
             10,
             run(10 + half14),
             {.gaps = 1, .missing = half14 - 1, .last = 10 + half14}},
        Step{"OverHalfTheCounterAhead14", w14, 10, run(10 + half14 + 1), {.late = 1, .last = 10}},
        Step{"RollOver14", w14, m14 - 1, run(0), {.last = 0}},
        Step{"GapOverTheRollOver14", w14, m14 - 2, run(3), {.gaps = 1, .missing = 4, .last = 3}},
        Step{"LateOverTheRollOver14", w14, 2, run(m14 - 3), {.late = 1, .last = 2}},
        Step{"HalfTheCounterAheadOverTheRollOver14",
             w14,
             half14 + 5,
             run(5),
             {.gaps = 1, .missing = half14 - 1, .last = 5}},
        Step{"NoRollOverAt14BitsOf64", w64, m14 - 1, run(0), {.late = 1, .last = m14 - 1}}),
    [](const auto& each) { return std::string(each.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Runs, SequenceStep,
    ::testing::Values(
        Step{"InOrder", w64, 9, run(10, 5), {.last = 14}},
        Step{"BehindAGap", w64, 9, run(12, 5), {.gaps = 1, .missing = 2, .last = 16}},
        Step{"BeginningWithADuplicate", w64, 9, run(9, 5), {.duplicates = 1, .last = 13}},
        Step{"AllLate", w64, 9, run(3, 5), {.late = 5, .last = 9}},
        Step{"LateUpToTheLastOne", w64, 9, run(5, 5), {.duplicates = 1, .late = 4, .last = 9}},
        Step{"LateAndThenOn", w64, 9, run(5, 8), {.duplicates = 1, .late = 4, .last = 12}},
        Step{"OverTheRollOver14", w14, m14 - 3, run(m14 - 2, 5), {.last = 2}},
        Step{"LongerThanHalfTheCounter14",
             w14,
             0,
             run(1, static_cast<std::uint32_t>(half14) + 100),
             {.last = half14 + 100}}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(SequenceState, TakesTheFirstFrameAsItComes) {
  SequenceState state;
  EXPECT_FALSE(state.last().has_value());
  state.observe(run(12345, 3), w64);
  EXPECT_EQ(judgement_of(state), (Judgement{.last = 12347}));
}

TEST(SequenceState, AddsUpOverManySteps) {
  SequenceState state;
  for (const std::uint64_t sequence : {0U, 1U, 1U, 5U, 3U, 4U, 6U, 10U}) {
    state.observe(run(sequence), w64);
  }
  EXPECT_EQ(judgement_of(state),
            (Judgement{.gaps = 2, .missing = 6, .duplicates = 1, .late = 2, .last = 10}));
}

/// The contract, frame by frame, as protocols.md words it.
class FrameByFrame {
 public:
  explicit FrameByFrame(SequenceWidth width) : mask_(width == w14 ? m14 - 1 : last64) {}

  void observe(std::uint64_t sequence) {
    const std::uint64_t half = mask_ / 2 + 1;
    const std::uint64_t d = seen_ ? (sequence - judgement_.last) & mask_ : 1;
    seen_ = true;
    if (d == 0) {
      ++judgement_.duplicates;
    } else if (d > half) {
      ++judgement_.late;
      return;
    } else if (d > 1) {
      ++judgement_.gaps;
      const std::uint64_t sum = judgement_.missing + (d - 1);
      judgement_.missing = sum < judgement_.missing ? last64 : sum;  // ends at the largest
    }
    judgement_.last = sequence;
  }

  [[nodiscard]] const Judgement& judgement() const { return judgement_; }

 private:
  std::uint64_t mask_;
  bool seen_ = false;
  Judgement judgement_;
};

class SequenceModel : public ::testing::TestWithParam<SequenceWidth> {};

TEST_P(SequenceModel, JudgesRunsAsFrameByFrame) {
  const SequenceWidth width = GetParam();
  const std::uint64_t mask = width == w14 ? m14 - 1 : last64;
  std::mt19937_64 random(14);
  const auto up_to = [&](std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(0, most)(random);
  };
  for (int stream = 0; stream < 50; ++stream) {
    SequenceState state;
    FrameByFrame model(width);
    std::uint64_t at = up_to(mask);
    for (int step = 0; step < 200; ++step) {
      switch (up_to(4)) {
        case 0:
          at += up_to(20);  // mostly a gap
          break;
        case 1:
          at -= up_to(20);  // back
          break;
        case 2:
          at = up_to(mask);  // anywhere
          break;
        default:
          break;  // in order
      }
      at &= mask;
      const auto frames = static_cast<std::uint32_t>(1 + up_to(up_to(9) == 0 ? 9000 : 30));
      state.observe(run(at, frames), width);
      for (std::uint32_t i = 0; i < frames; ++i) {
        model.observe((at + i) & mask);
      }
      at = (at + frames) & mask;
      ASSERT_EQ(judgement_of(state), model.judgement()) << "stream " << stream << ", step " << step;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Each, SequenceModel, ::testing::Values(w14, w64), [](const auto& each) {
  return each.param == w14 ? std::string("Bits14") : std::string("Bits64");
});

TEST(SequenceState, CountsMissingUpToTheLargestNumberAndNotPastIt) {
  constexpr std::uint64_t half = std::uint64_t{1} << 63;
  SequenceState state;
  for (const std::uint64_t sequence : {std::uint64_t{0}, half, std::uint64_t{0}, half}) {
    state.observe(run(sequence), w64);
  }
  EXPECT_EQ(judgement_of(state),
            (Judgement{.gaps = 3, .missing = ~std::uint64_t{0}, .last = half}));
}

}  // namespace
}  // namespace meridian
