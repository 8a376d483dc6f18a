#include "status/silence.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <ctime>
#include <tuple>
#include <vector>

namespace meridian::test {

using namespace status;

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

/// Seconds since some moment, on both clocks.
class SilenceTest : public testing::Test {
 protected:
  SilenceTest() { silence_.set_limit(30s); }

  static OriginStats origin(SatelliteId satellite, ChannelId channel, std::uint64_t frames,
                            std::chrono::seconds last_seen = 0s) {
    OriginStats stats;
    stats.origin = Origin{satellite, channel};
    stats.frames = frames;
    stats.last_seen_at = ReceiveTime(last_seen);
    return stats;
  }
  Silence::Changes look(std::chrono::seconds at, const std::vector<OriginStats>& origins) {
    silence_.look_at(origins);
    return silence_.finish_look(Silence::Clock::time_point(at), ReceiveTime(at));
  }

  Silence silence_;
};

TEST_F(SilenceTest, BeginsAtTheLimitAndIsToldOnce) {
  EXPECT_THAT(look(100s, {origin(7, 1, 5, 100s)}).fell_silent, IsEmpty());
  EXPECT_THAT(look(129s, {origin(7, 1, 5, 100s)}).fell_silent, IsEmpty());
  EXPECT_THAT(look(130s, {origin(7, 1, 5, 100s)}).fell_silent, ElementsAre(7));
  EXPECT_TRUE(silence_.silent()->contains(7));
  EXPECT_FALSE(silence_.silent()->contains(8));
  EXPECT_THAT(look(131s, {origin(7, 1, 5, 100s)}).fell_silent, IsEmpty());
}

std::vector<OriginStats> multiples_of(SatelliteId step) {
  constexpr SatelliteId satellites = 50'000;
  std::vector<OriginStats> origins(satellites);
  for (SatelliteId i = 0; i < satellites; ++i) {
    origins[i].origin = Origin{i * step, 0};
    origins[i].frames = 1;
  }
  return origins;
}

std::chrono::nanoseconds processor_time_of_a_look(const std::vector<OriginStats>& origins) {
  Silence silence;
  silence.set_limit(30s);
  silence.look_at(origins);
  std::ignore = silence.finish_look(Silence::Clock::time_point(1s), ReceiveTime(1s));
  const std::clock_t begin = std::clock();
  silence.look_at(origins);
  return std::chrono::nanoseconds((std::clock() - begin) * (1'000'000'000 / CLOCKS_PER_SEC));
}

TEST(Silence, TakesNoLongerWhicheverIdsPeersChoose) {
  // 85,229 buckets are what the standard library's table has for so many satellites: with the id
  // for a hash, all of these share one.
  const auto ordinary = processor_time_of_a_look(multiples_of(1));
  const auto chosen = processor_time_of_a_look(multiples_of(85'229));
  EXPECT_LT(chosen, 30 * (ordinary + 1ms)) << ordinary.count() << " ns otherwise";
}

TEST_F(SilenceTest, EndsOnceWithTheNextFrame) {
  look(100s, {origin(7, 1, 5, 100s)});
  look(130s, {origin(7, 1, 5, 100s)});
  EXPECT_THAT(look(140s, {origin(7, 1, 6, 140s)}).heard_again, ElementsAre(7));
  EXPECT_THAT(silence_.silent()->satellites, IsEmpty());
  EXPECT_THAT(look(141s, {origin(7, 1, 6, 140s)}).heard_again, IsEmpty());
}

TEST_F(SilenceTest, ConcernsSatellitesAndNotTheirChannels) {
  look(100s, {origin(7, 1, 5, 100s), origin(7, 2, 9, 100s)});
  EXPECT_THAT(look(120s, {origin(7, 1, 5, 100s), origin(7, 2, 10, 120s)}).fell_silent, IsEmpty());
  EXPECT_THAT(look(140s, {origin(7, 1, 5, 100s), origin(7, 2, 10, 120s)}).fell_silent, IsEmpty());
  EXPECT_THAT(look(150s, {origin(7, 1, 5, 100s), origin(7, 2, 10, 120s)}).fell_silent,
              ElementsAre(7));
}

TEST_F(SilenceTest, DoesNotMindAClockThatIsSet) {
  look(100s, {origin(7, 1, 5, 100s)});
  silence_.look_at({origin(7, 1, 6, 100s)});  // heard, and its time stays: the clock was set back
  EXPECT_THAT(silence_.finish_look(Silence::Clock::time_point(131s), ReceiveTime(10s)).fell_silent,
              IsEmpty());
  silence_.look_at({origin(7, 1, 6, 100s)});
  EXPECT_THAT(
      silence_.finish_look(Silence::Clock::time_point(132s), ReceiveTime(9'999s)).fell_silent,
      IsEmpty());
}

TEST_F(SilenceTest, GoesOnOverARestart) {
  EXPECT_THAT(look(1000s, {origin(7, 1, 5, 980s), origin(8, 1, 5, 960s), origin(9, 1, 1, 2000s)})
                  .fell_silent,
              ElementsAre(8));
  EXPECT_THAT(look(1010s, {origin(7, 1, 5, 980s), origin(8, 1, 5, 960s), origin(9, 1, 1, 2000s)})
                  .fell_silent,
              ElementsAre(7));
}

TEST_F(SilenceTest, IgnoresUntrackedOrigins) {
  OriginStats others;
  others.frames = 5;
  look(100s, {others});
  EXPECT_THAT(look(500s, {others}).fell_silent, IsEmpty());
}

TEST_F(SilenceTest, IsOffWithALimitOfZero) {
  look(100s, {origin(7, 1, 5, 100s)});
  look(130s, {origin(7, 1, 5, 100s)});
  silence_.set_limit(0s);
  EXPECT_FALSE(silence_.watches());
  EXPECT_THAT(silence_.silent()->satellites, IsEmpty());
  EXPECT_THAT(look(131s, {origin(7, 1, 5, 100s)}).fell_silent, IsEmpty());
}

TEST_F(SilenceTest, FollowsAChangedLimit) {
  look(100s, {origin(7, 1, 5, 100s)});
  look(110s, {origin(7, 1, 5, 100s)});
  silence_.set_limit(10s);
  EXPECT_EQ(silence_.silent()->after, 10s);
  EXPECT_THAT(look(111s, {origin(7, 1, 5, 100s)}).fell_silent, ElementsAre(7));
}

TEST_F(SilenceTest, DoesNotCountTimeUnderBackpressure) {
  const std::vector<OriginStats> origins{origin(7, 1, 5, 100s)};
  look(100s, origins);
  look(110s, origins);
  silence_.look_at(origins);
  EXPECT_THAT(silence_
                  .finish_look(Silence::Clock::time_point(200s), ReceiveTime(200s),
                               Silence::Uplinks::held_back)
                  .fell_silent,
              IsEmpty());
  EXPECT_THAT(look(219s, origins).fell_silent, IsEmpty());
  EXPECT_THAT(look(220s, origins).fell_silent, ElementsAre(7)) << "10 s before, and 20 s behind";
}

TEST_F(SilenceTest, SparesANewSatelliteUnderBackpressure) {
  look(100s, {});
  silence_.look_at({origin(7, 1, 5, 101s)});
  EXPECT_THAT(silence_
                  .finish_look(Silence::Clock::time_point(131s), ReceiveTime(131s),
                               Silence::Uplinks::held_back)
                  .fell_silent,
              IsEmpty());
  EXPECT_THAT(look(160s, {origin(7, 1, 5, 101s)}).fell_silent, IsEmpty());
  EXPECT_THAT(look(161s, {origin(7, 1, 5, 101s)}).fell_silent, ElementsAre(7));
}

TEST_F(SilenceTest, DoesNotEndWhenTheLimitIsRaised) {
  look(100s, {origin(7, 1, 5, 100s)});
  look(130s, {origin(7, 1, 5, 100s)});
  silence_.set_limit(3600s);
  EXPECT_THAT(look(131s, {origin(7, 1, 5, 100s)}).heard_again, IsEmpty());
  EXPECT_THAT(silence_.silent()->satellites, IsEmpty());
}

TEST_F(SilenceTest, EndsForASatelliteThatIsForgotten) {
  look(100s, {origin(7, 1, 5, 100s), origin(8, 1, 5, 100s)});
  look(130s, {origin(7, 1, 5, 100s), origin(8, 1, 6, 130s)});
  ASSERT_THAT(silence_.silent()->satellites, ElementsAre(7));
  const Silence::Changes changes = look(131s, {origin(8, 1, 7, 131s)});
  EXPECT_THAT(silence_.silent()->satellites, IsEmpty());
  EXPECT_THAT(changes.heard_again, IsEmpty()) << "it was not";
  EXPECT_THAT(look(132s, {origin(7, 1, 1, 132s), origin(8, 1, 8, 132s)}).heard_again, IsEmpty());
  EXPECT_THAT(look(162s, {origin(7, 1, 1, 132s), origin(8, 1, 9, 162s)}).fell_silent,
              ElementsAre(7))
      << "as a new one";
}

TEST_F(SilenceTest, DoesNotEndWhereAChannelIsForgotten) {
  look(100s, {origin(7, 1, 5, 100s), origin(7, 2, 9, 100s)});
  look(130s, {origin(7, 1, 5, 100s), origin(7, 2, 9, 100s)});
  const Silence::Changes changes = look(131s, {origin(7, 1, 5, 100s)});
  EXPECT_THAT(changes.heard_again, IsEmpty());
  EXPECT_THAT(silence_.silent()->satellites, ElementsAre(7));
  EXPECT_THAT(look(132s, {origin(7, 1, 6, 132s)}).heard_again, ElementsAre(7));
}

}  // namespace
}  // namespace meridian::test
