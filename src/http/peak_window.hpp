/// The highest levels of the last minute.
#pragma once

#include "aggregator/reports.hpp"

#include <meridian/aggregator.hpp>

#include <algorithm>
#include <chrono>
#include <deque>

namespace meridian::http {

/// The aggregator starts its peaks over each time they are taken. This keeps them for a minute, so
/// that each caller gets the peaks of the whole minute. Not thread-safe.
class PeakWindow {
 public:
  using Clock = std::chrono::steady_clock;

  /// A minute, plus some seconds for a late scrape.
  static constexpr std::chrono::seconds length{65};

  /// Adds the peaks since the previous call.
  void add(const aggregator::Peaks& peaks, Clock::time_point now) {
    forget(now);
    if (parts_.empty() || now - parts_.back().begin >= std::chrono::seconds(1)) {
      parts_.push_back({.begin = now, .peaks = peaks});
    } else {
      parts_.back().peaks = highest(parts_.back().peaks, peaks);
    }
  }

  [[nodiscard]] aggregator::Peaks most(Clock::time_point now) {
    forget(now);
    aggregator::Peaks all{};
    for (const Part& part : parts_) {
      all = highest(all, part.peaks);
    }
    return all;
  }

 private:
  struct Part {  // the peaks of one second
    Clock::time_point begin;
    aggregator::Peaks peaks;
  };

  [[nodiscard]] static aggregator::Peaks highest(const aggregator::Peaks& one,
                                                 const aggregator::Peaks& other) {
    aggregator::Peaks highest = one;
    highest.buffer.frames = std::max(one.buffer.frames, other.buffer.frames);
    highest.buffer.bytes = std::max(one.buffer.bytes, other.buffer.bytes);
    highest.channel = std::max(one.channel, other.channel);
    return highest;
  }

  void forget(Clock::time_point now) {
    while (!parts_.empty() && now - parts_.front().begin > length) {
      parts_.pop_front();
    }
  }

  std::deque<Part> parts_;
};

}  // namespace meridian::http
