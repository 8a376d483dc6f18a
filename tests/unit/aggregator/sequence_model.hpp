/// The contract of sequence tracking, frame by frame: what the tracker, which sees runs, is
/// compared with.
#pragma once

#include <meridian/aggregator.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace meridian::test {

/// One counter.
class FrameByFrame {
 public:
  explicit FrameByFrame(SequenceWidth width, std::size_t reset_after = default_reset_after)
      : mask_(width == SequenceWidth::bits14 ? 0x3FFF : ~std::uint64_t{0}),
        reset_after_(reset_after) {}

  void observe(std::uint64_t sequence) {
    if (!last) {
      last = sequence;
      return;
    }
    const std::uint64_t d = (sequence - *last) & mask_;
    if (d > mask_ / 4 + 1) {
      observe_wild(sequence, d > mask_ / 2 + 1);
      return;
    }
    wild_.clear();
    if (d == 0) {
      ++duplicates;
    } else if (d > 1) {
      ++gaps;
      const std::uint64_t sum = missing + (d - 1);
      missing = sum < missing ? std::numeric_limits<std::uint64_t>::max() : sum;
    }
    last = sequence;
  }

  void observe_run(std::uint64_t first, std::uint64_t frames) {
    for (std::uint64_t i = 0; i < frames; ++i) {
      observe((first + i) & mask_);
    }
  }

  std::uint64_t gaps = 0;
  std::uint64_t missing = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t late = 0;
  std::uint64_t jumps = 0;
  std::uint64_t resets = 0;
  std::optional<std::uint64_t> last;

 private:
  struct Wild {
    std::uint64_t sequence;
    bool late;
  };

  void observe_wild(std::uint64_t sequence, bool is_late) {
    if (!wild_.empty() && ((wild_.back().sequence + 1) & mask_) != sequence) {
      wild_.clear();
    }
    wild_.push_back({sequence, is_late});
    ++(is_late ? late : jumps);
    if (wild_.size() < reset_after_) {
      return;
    }
    for (const Wild& each : wild_) {
      --(each.late ? late : jumps);
    }
    wild_.clear();
    ++resets;
    last = sequence;
  }

  std::uint64_t mask_;
  std::size_t reset_after_;
  std::vector<Wild> wild_;
};

}  // namespace meridian::test
