/// Checks that a stream has all frames, each once and in order.
#pragma once

#include "sim/sequence_set.hpp"

#include <meridian/frame.hpp>
#include <meridian/frame_batch.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace meridian::sim {

/// What is known about one satellite and channel, from the sequences that were seen.
struct OriginReport {
  Origin origin;
  std::uint64_t frames = 0;        ///< including repeated ones
  std::uint64_t missing = 0;       ///< sequences between the lowest and the highest, not seen
  std::uint64_t repeated = 0;      ///< frames whose sequence had been seen before
  std::uint64_t out_of_order = 0;  ///< frames, not repeated, stored after a higher sequence
  std::uint64_t lowest = 0;
  std::uint64_t highest = 0;
  std::vector<SequenceRange> holes{};  ///< the lowest ones, at most `most_holes`

  [[nodiscard]] bool in_trouble() const noexcept { return missing + repeated + out_of_order > 0; }
};

/// How many holes a report lists at most.
inline constexpr std::size_t most_holes = 8;

/// Judges frames by the place of their message, which is its sequence in the stream. So the order
/// of delivery does not matter, and a message that is delivered again is recognised by its place.
///
/// Bounds: memory for each hole in the sequences of an origin, and for each `Stretch`. If a filter
/// leaves out places, this is about 32 octets for each message; otherwise it is next to nothing.
/// Not thread-safe.
class SequenceCheck {
 public:
  /// Notes that a message was delivered. False if it had been delivered before: then the caller
  /// must not add its frames.
  [[nodiscard]] bool take_place(std::uint64_t place);

  /// Adds consecutive frames of a message, in order. REQUIRES: `take_place` was called for its
  /// place.
  void add(std::uint64_t place, const Run& run);

  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
  /// Frames, each counted once however often it was stored.
  [[nodiscard]] std::uint64_t distinct() const noexcept { return distinct_; }
  [[nodiscard]] std::size_t origins() const noexcept { return origins_.size(); }

  /// One report for each origin, in the order of satellites and channels.
  [[nodiscard]] std::vector<OriginReport> report() const;

 private:
  /// Frames of an origin with consecutive sequences. All places from the first to the last have
  /// been seen, so no message between them can still be delivered.
  struct Stretch {
    std::uint64_t first_place = 0;
    std::uint64_t last_place = 0;
    SequenceRange sequences;
  };
  struct Seen {
    std::uint64_t frames = 0;
    SequenceSet sequences;
    std::vector<Stretch> stretches;  // in the order of the stream
  };

  void add_range(std::uint64_t place, Seen& seen, SequenceRange range);
  [[nodiscard]] static std::uint64_t count_out_of_order(const std::vector<Stretch>& stretches);

  SequenceSet places_;
  std::map<Origin, Seen> origins_;
  std::uint64_t frames_ = 0;
  std::uint64_t distinct_ = 0;
};

}  // namespace meridian::sim
