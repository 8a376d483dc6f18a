#include "status/probes.hpp"

#include "status/pulse.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace meridian::test {

using namespace status;

namespace {

using namespace std::chrono_literals;

BufferLevel level(std::uint64_t frames, std::uint64_t bytes, WhenFull when_full) {
  return {.now = {.frames = frames, .bytes = bytes},
          .high_water = {},
          .limits = {.max_frames = 10, .max_bytes = 1000, .when_full = when_full}};
}

TEST(Pulse, BeatsUntilTwoSecondsAfterTheLastAnswer) {
  status::Pulse pulse;
  const auto start = status::Pulse::Clock::now();
  pulse.beat(start);
  EXPECT_TRUE(pulse.beats(start));
  EXPECT_TRUE(pulse.beats(start + 2s));
  EXPECT_FALSE(pulse.beats(start + 2001ms));
  pulse.beat(start + 3s);
  EXPECT_TRUE(pulse.beats(start + 4s));
}

TEST(Health, SaysWhetherTheAggregatorAnswers) {
  EXPECT_TRUE(judge_health(true).good);
  EXPECT_EQ(judge_health(true).reason.at("reason"), "answering");
  EXPECT_FALSE(judge_health(false).good);
  EXPECT_EQ(judge_health(false).reason.at("status"), "failed");
  EXPECT_EQ(judge_health(false).reason.at("reason"), "not_answering");
}

TEST(Readiness, EndsWithServing) {
  EXPECT_FALSE(judge_readiness(false, level(0, 0, WhenFull::drop_oldest)).good);
  EXPECT_EQ(judge_readiness(false, level(0, 0, WhenFull::drop_oldest)).reason.at("reason"),
            "not_serving");
  EXPECT_EQ(judge_readiness(true, level(0, 0, WhenFull::drop_oldest)).reason.at("reason"),
            "serving");
}

TEST(Readiness, EndsWithTheControlSocketNamingTheRemedy) {
  for (const bool inherited : {false, true}) {
    const Verdict verdict = without_control_socket(inherited);
    EXPECT_FALSE(verdict.good);
    EXPECT_EQ(verdict.reason.at("reason"), "control_socket_gone");
    const auto message = verdict.reason.at("message").get<std::string>();
    EXPECT_EQ(message.find("SIGHUP") == std::string::npos, inherited) << message;
  }
}

TEST(Readiness, EndsWhenTheBufferIsFull) {
  for (const WhenFull loses : {WhenFull::drop_oldest, WhenFull::drop_newest}) {
    EXPECT_TRUE(judge_readiness(true, level(9, 90, loses)).good);
    EXPECT_FALSE(judge_readiness(true, level(10, 100, loses)).good) << "in frames";
    EXPECT_TRUE(judge_readiness(true, level(9, 900, loses)).good) << "room for one of 100 octets";
    EXPECT_FALSE(judge_readiness(true, level(9, 909, loses)).good) << "in octets";
  }
  EXPECT_EQ(judge_readiness(true, level(10, 100, WhenFull::drop_oldest)).reason.at("reason"),
            "buffer_full");
}

TEST(Readiness, StaysWhereAFullBufferLosesNothing) {
  EXPECT_TRUE(judge_readiness(true, level(10, 1000, WhenFull::backpressure)).good);
}

}  // namespace
}  // namespace meridian::test
