#include "runtime/pauses.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace meridian::test {

using namespace runtime;

namespace {

TEST(Pauses, DoubleUpToTheLongest) {
  Pauses pauses(1);
  std::chrono::milliseconds whole = Pauses::shortest;
  for (int i = 0; i < 20; ++i) {
    const auto pause = pauses.next();
    EXPECT_GE(pause, whole / 2);
    EXPECT_LE(pause, whole);
    whole = std::min(whole * 2, Pauses::longest);
  }
  EXPECT_EQ(whole, Pauses::longest);
}

TEST(Pauses, BeginAgainAfterAReset) {
  Pauses pauses(1);
  for (int i = 0; i < 10; ++i) {
    static_cast<void>(pauses.next());
  }
  pauses.reset();
  EXPECT_LE(pauses.next(), Pauses::shortest);
}

TEST(Pauses, GrowWithTheFailuresOfAnother) {
  Pauses pauses(1);
  EXPECT_LE(pauses.after(1), Pauses::shortest);
  EXPECT_GE(pauses.after(4), 4 * Pauses::shortest);
  EXPECT_GE(pauses.after(1'000'000'000), Pauses::longest / 2);
  EXPECT_LE(pauses.next(), Pauses::shortest) << "which are not its own";
}

TEST(Pauses, AreNotTheSameForTwoClients) {
  Pauses one(1);
  Pauses other(2);
  bool differ = false;
  for (int i = 0; i < 10; ++i) {
    differ |= one.next() != other.next();
  }
  EXPECT_TRUE(differ);
}

}  // namespace
}  // namespace meridian::test
