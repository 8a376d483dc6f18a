#include "http/peak_window.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace meridian::test {

using namespace http;

namespace {

using namespace std::chrono_literals;

constexpr PeakWindow::Clock::time_point some_moment{1000h};

aggregator::Peaks peaks(std::uint64_t frames, std::uint64_t bytes, std::size_t batches) {
  return {.buffer = {.frames = frames, .bytes = bytes}, .channel = batches};
}

TEST(PeakWindow, HasTheHighestOfEachFigure) {
  PeakWindow window;
  window.add(peaks(1, 20, 3), some_moment);
  window.add(peaks(5, 10, 2), some_moment + 1s);
  const aggregator::Peaks most = window.most(some_moment + 2s);
  EXPECT_EQ(most.buffer.frames, 5U);
  EXPECT_EQ(most.buffer.bytes, 20U);
  EXPECT_EQ(most.channel, 3U);
}

TEST(PeakWindow, TellsEverybodyTheSameForAMinute) {
  PeakWindow window;
  window.add(peaks(7, 0, 0), some_moment);
  for (int second = 1; second <= 60; ++second) {
    window.add(peaks(1, 0, 0), some_moment + second * 1s);
    EXPECT_EQ(window.most(some_moment + second * 1s).buffer.frames, 7U);
  }
  window.add(peaks(1, 0, 0), some_moment + 70s);
  EXPECT_EQ(window.most(some_moment + 70s).buffer.frames, 1U);
}

TEST(PeakWindow, KeepsOnePartPerSecondHoweverOftenAsked) {
  PeakWindow window;
  for (int i = 0; i < 1000; ++i) {
    window.add(peaks(i == 500 ? 9 : 1, 0, 0), some_moment + i * 1ms);
  }
  EXPECT_EQ(window.most(some_moment + 1s).buffer.frames, 9U);
  EXPECT_EQ(window.most(some_moment + PeakWindow::length + 1s).buffer.frames, 0U);
}

}  // namespace
}  // namespace meridian::test
