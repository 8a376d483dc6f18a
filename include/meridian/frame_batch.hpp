/// Frames that travel together.
#pragma once

#include <meridian/frame.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace meridian {

/// Consecutive frames of one origin: the sequences first, first + 1, … (modulo the counter's
/// width). Sequences are tracked per run, not per frame.
struct Run {
  Origin origin;
  std::uint32_t frames = 0;
  std::uint64_t first = 0;
  std::uint64_t bytes = 0;  ///< octets of these frames, headers included

  friend bool operator==(const Run&, const Run&) = default;
};

/// What is the same for all frames of one read.
struct ReadStamp {
  SessionId session = 0;
  std::uint64_t read = 0;  ///< counts the reads of a session up; 0 where that is not known
  ReceiveTime received_at{};
  SequenceWidth width = SequenceWidth::bits64;
};

/// An allocation that batches share. Never written to once a batch refers to it.
using Slab = std::shared_ptr<const std::byte[]>;

/// Octets inside a slab, which stays as long as anything refers to it.
struct SlabRange {
  Slab slab;
  std::size_t slab_bytes = 0;  ///< size of the whole slab
  std::span<const std::byte> octets;
};

/// Whole, validated frames back to back in the native layout: the unit that moves through Meridian.
///
/// Ownership: refers to a part of a reference-counted slab, which lives as long as any batch that
/// refers to it. Moved, never copied by accident: a second reference is made with `share`.
/// Thread-safety: distinct batches may be used on distinct threads, also when they share a slab.
/// Errors: none; a batch holds only frames that a decoder or a builder has checked.
/// Bounds: at least one frame unless moved from; at most 4 GiB - 1.
class FrameBatch {
 public:
  class Iterator;

  /// `frames` frames fill `range`. `runs` names them all, those of one origin in their order.
  FrameBatch(SlabRange range, std::uint32_t frames, std::vector<Run> runs, const ReadStamp& stamp);

  FrameBatch(FrameBatch&&) noexcept = default;
  FrameBatch& operator=(FrameBatch&&) noexcept = default;
  FrameBatch& operator=(const FrameBatch&) = delete;
  ~FrameBatch() = default;

  /// A second batch over the same octets.
  [[nodiscard]] FrameBatch share() const { return *this; }

  [[nodiscard]] std::uint32_t frames() const noexcept { return frames_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return octets().size(); }
  [[nodiscard]] std::span<const std::byte> octets() const noexcept { return range_.octets; }
  [[nodiscard]] const ReadStamp& stamp() const noexcept { return stamp_; }

  [[nodiscard]] Iterator begin() const noexcept;
  [[nodiscard]] Iterator end() const noexcept;

  /// What stands in memory for as long as this batch does: its slab, if it alone refers to it, and
  /// its runs.
  [[nodiscard]] std::size_t footprint() const noexcept {
    return range_.slab_bytes + runs_.capacity() * sizeof(Run);
  }

  /// For a batch that stays: gives it an allocation of its own if it fills less than half of its
  /// slab, and forgets runs that are large beside its octets. Then the footprint is at most twice
  /// its octets and a quarter.
  void compact();

  /// The batch as runs: known from decoding, or found by walking a batch that was split.
  [[nodiscard]] std::vector<Run> find_runs() const;

  /// Calls `visit(const Run&)` for each run.
  template <typename Visit>
  void for_each_run(Visit&& visit) const {
    if (runs_.empty()) {
      for (const Run& run : find_runs()) {
        visit(run);
      }
      return;
    }
    for (const Run& run : runs_) {
      visit(run);
    }
  }

  /// Takes the first `count` frames away into a batch of their own. 0 < count < frames().
  [[nodiscard]] FrameBatch split_front(std::uint32_t count);

  /// How many leading frames stay within both bounds.
  [[nodiscard]] std::uint32_t leading_frames_within(std::uint64_t max_frames,
                                                    std::uint64_t max_bytes) const noexcept;

 private:
  FrameBatch(const FrameBatch&) = default;

  SlabRange range_;
  std::vector<Run> runs_;  // empty: not known, walk the octets
  ReadStamp stamp_;
  std::uint32_t frames_;
};

/// Walks the frames of a batch.
class FrameBatch::Iterator {
 public:
  using iterator_concept = std::forward_iterator_tag;
  using difference_type = std::ptrdiff_t;
  using value_type = FrameView;

  Iterator() = default;
  explicit Iterator(std::span<const std::byte> rest) : rest_(rest) {}

  FrameView operator*() const noexcept { return read_frame(rest_); }
  Iterator& operator++() noexcept {
    rest_ = rest_.subspan(read_frame(rest_).octets.size());
    return *this;
  }
  Iterator operator++(int) noexcept {
    Iterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const Iterator& a, const Iterator& b) noexcept {
    return a.rest_.size() == b.rest_.size();
  }

 private:
  std::span<const std::byte> rest_;
};

inline FrameBatch::Iterator FrameBatch::begin() const noexcept {
  return Iterator{octets()};
}
inline FrameBatch::Iterator FrameBatch::end() const noexcept {
  return Iterator{octets().subspan(bytes())};
}

/// A copy of `octets` in a slab of exactly their size.
[[nodiscard]] SlabRange copy_to_slab(std::span<const std::byte> octets);

/// Makes a batch out of single frames, for programs that produce frames themselves.
///
/// Not thread-safe. `append` throws std::length_error where the batch would pass 4 GiB - 1.
class FrameBatchBuilder {
 public:
  void append(const FrameHeader& header, std::span<const std::byte> payload);

  /// The batch, or nothing where no frame was appended. The builder is empty afterwards.
  [[nodiscard]] std::optional<FrameBatch> finish(const ReadStamp& stamp);

 private:
  std::vector<std::byte> octets_;
  std::uint32_t frames_ = 0;
};

}  // namespace meridian
