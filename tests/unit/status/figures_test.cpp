#include "status/figures.hpp"

#include <gtest/gtest.h>

namespace meridian::test {

using namespace status;

namespace {

TEST(Figures, AreSeparatedByThousands) {
  EXPECT_EQ(with_separators(0), "0");
  EXPECT_EQ(with_separators(999), "999");
  EXPECT_EQ(with_separators(1'000), "1,000");
  EXPECT_EQ(with_separators(100'000), "100,000");
  EXPECT_EQ(with_separators(1'234'567), "1,234,567");
  EXPECT_EQ(with_separators(18'446'744'073'709'551'615U), "18,446,744,073,709,551,615");
}

TEST(Figures, TellOctetsInTheUnitThatSuits) {
  EXPECT_EQ(octets_for_people(0), "0 bytes");
  EXPECT_EQ(octets_for_people(999), "999 bytes");
  EXPECT_EQ(octets_for_people(1'000), "1.0 kB");
  EXPECT_EQ(octets_for_people(8'400'000), "8.4 MB");
  EXPECT_EQ(octets_for_people(268'435'456), "268.4 MB");
  EXPECT_EQ(octets_for_people(5'000'000'000), "5.0 GB");
  EXPECT_EQ(octets_for_people(7'000'000'000'000), "7.0 TB");
  EXPECT_EQ(octets_for_people(7'000'000'000'000'000), "7000.0 TB") << "the last unit there is";
}

}  // namespace
}  // namespace meridian::test
