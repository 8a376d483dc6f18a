#include "runtime/peer_lines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string_view>

namespace meridian::test {

using namespace runtime;

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr PeerLines::Clock::time_point first_second{1000h};
constexpr std::uint64_t most = PeerLines::lines_a_second;

std::uint64_t admitted(PeerLines& lines, std::string_view kind, std::uint64_t count,
                       PeerLines::Clock::time_point at) {
  std::uint64_t through = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    through += lines.admit(kind, at) ? 1 : 0;
  }
  return through;
}

TEST(PeerLines, AdmitsSomeOfAKindEachSecond) {
  PeerLines lines;
  EXPECT_EQ(admitted(lines, "truncated", most, first_second), most);
  EXPECT_EQ(admitted(lines, "truncated", 5, first_second + 999ms), 0U);
  EXPECT_EQ(admitted(lines, "truncated", most + 7, first_second + 1s), most);
  EXPECT_EQ(lines.left_out(), 12U);
}

TEST(PeerLines, HoldsEachKindBackByItself) {
  PeerLines lines;
  EXPECT_EQ(admitted(lines, "truncated", 1000, first_second), most);
  EXPECT_EQ(admitted(lines, "malformed", 1, first_second), 1U);
}

TEST(PeerLines, ReportsOnceHowManyWereLeftOut) {
  PeerLines lines;
  admitted(lines, "malformed", most, first_second);
  admitted(lines, "truncated", most + 3, first_second);
  EXPECT_THAT(lines.take_left_out(first_second + 500ms), IsEmpty()) << "there may be more";
  admitted(lines, "truncated", 2, first_second + 900ms);
  EXPECT_THAT(lines.take_left_out(first_second + 1s),
              ElementsAre(PeerLines::LeftOut{.kind = "truncated", .lines = 5}));
  EXPECT_THAT(lines.take_left_out(first_second + 2s), IsEmpty());
}

TEST(PeerLines, AddUp) {
  PeerLines lines;
  std::uint64_t told = 0;
  std::uint64_t through = 0;
  for (int tick = 0; tick < 100; ++tick) {  // ten seconds
    const auto now = first_second + tick * 100ms;
    through += admitted(lines, "closed", 77, now);
    for (const PeerLines::LeftOut& left_out : lines.take_left_out(now)) {
      told += left_out.lines;
    }
  }
  for (const PeerLines::LeftOut& left_out :
       lines.take_left_out(PeerLines::Clock::time_point::max())) {
    told += left_out.lines;
  }
  EXPECT_EQ(through, 10 * most);
  EXPECT_EQ(through + told, 7700U);
}

}  // namespace
}  // namespace meridian::test
