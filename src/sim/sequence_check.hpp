/// Checks whether frames that were stored are all there, each once and in order.
#pragma once

#include "sim/sequence_set.hpp"

#include <meridian/frame.hpp>
#include <meridian/frame_batch.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace meridian::sim {

/// What is known about one satellite and channel. The sequences are those that were seen.
struct OriginReport {
  Origin origin;
  std::uint64_t frames = 0;        ///< repeated ones included
  std::uint64_t missing = 0;       ///< holes between the lowest and the highest sequence
  std::uint64_t repeated = 0;      ///< frames whose sequence was there already
  std::uint64_t out_of_order = 0;  ///< not repeated, and stored after a higher sequence
  std::uint64_t lowest = 0;
  std::uint64_t highest = 0;
  std::vector<SequenceRange> holes{};  ///< the lowest ones, at most `most_holes`

  [[nodiscard]] bool in_trouble() const noexcept { return missing + repeated + out_of_order > 0; }
};

/// How many holes a report lists at most.
inline constexpr std::size_t most_holes = 8;

/// Judges the frames of a stream by their places in it: the order in which messages are delivered
/// does not matter, and one that is delivered again is recognised by its place.
///
/// Bounds: memory for each hole in the sequences of an origin, and for each stretch of an origin in
/// which no place of the stream is unseen. That is about 32 octets for each message if a filter
/// leaves places out, and next to nothing otherwise.
/// Not thread-safe.
class SequenceCheck {
 public:
  /// Notes that a message was delivered. False if it had been delivered before: then the caller
  /// adds nothing of it.
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
  /// Frames with consecutive sequences, between whose places there is no other that could still be
  /// delivered.
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
