#include "top/numbers.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <utility>

namespace meridian::test {

using namespace top;

namespace {

constexpr std::uint64_t huge = std::numeric_limits<std::uint64_t>::max();

TEST(TopNumbers, AreScaledToThreeDigits) {
  const std::pair<double, const char*> cases[] = {{0, "0"},
                                                  {7, "7"},
                                                  {7.5, "7.50"},
                                                  {12.34, "12.3"},
                                                  {99.96, "100"},
                                                  {999, "999"},
                                                  {999.4, "999"},
                                                  {999.6, "1.00k"},
                                                  {1000, "1.00k"},
                                                  {9994, "9.99k"},
                                                  {9996, "10.0k"},
                                                  {99'940, "99.9k"},
                                                  {99'960, "100k"},
                                                  {999'499, "999k"},
                                                  {999'500, "1.00M"},
                                                  {4'200'000, "4.20M"},
                                                  {1.8446744e19, "18.4E"},
                                                  {1.8e23, "180000E"}};
  for (const auto& [number, text] : cases) {
    EXPECT_EQ(scaled(number), text) << number;
  }
}

TEST(TopNumbers, OctetsHaveTheirUnit) {
  EXPECT_EQ(scaled_octets(0), "0 B");
  EXPECT_EQ(scaled_octets(512), "512 B");
  EXPECT_EQ(scaled_octets(268'435'456), "268 MB");
  EXPECT_EQ(scaled_octets(static_cast<double>(huge)), "18.4 EB");
}

TEST(TopNumbers, RatesThatAreNotKnownAreADash) {
  EXPECT_EQ(frame_rate(1'230'000.0), "1.23M/s");
  EXPECT_EQ(octet_rate(98'800'000.0), "98.8 MB/s");
  EXPECT_EQ(frame_rate(std::nullopt), "-/s");
  EXPECT_EQ(octet_rate(std::nullopt), "- B/s");
}

TEST(TopNumbers, DurationsHaveTwoUnits) {
  const std::pair<int, const char*> cases[] = {
      {0, "0s"},         {59, "59s"},       {60, "1m 0s"},         {125, "2m 5s"},
      {3599, "59m 59s"}, {3600, "1h 0m"},   {3725, "1h 2m"},       {86'399, "23h 59m"},
      {86'400, "1d 0h"}, {90'000, "1d 1h"}, {8'640'000, "100d 0h"}};
  for (const auto& [seconds, text] : cases) {
    EXPECT_EQ(duration_for_people(std::chrono::seconds(seconds)), text);
  }
}

TEST(TopNumbers, PercentageIsNotRoundedToNothingOrAll) {
  EXPECT_EQ(percent(0, 1000), "0%");
  EXPECT_EQ(percent(1, 1'000'000), "<0.1%");
  EXPECT_EQ(percent(123, 1000), "12.3%");
  EXPECT_EQ(percent(999'999, 1'000'000), ">99.9%");
  EXPECT_EQ(percent(1000, 1000), "100%");
  EXPECT_EQ(percent(huge, huge), "100%");
  EXPECT_EQ(percent(1100, 1000), "110.0%") << "lent frames may stand above the bound";
  EXPECT_EQ(percent(0, 0), "-%");
}

}  // namespace
}  // namespace meridian::test
