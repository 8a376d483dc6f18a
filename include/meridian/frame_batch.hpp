/// Frames that travel together.
///
/// Stable: see <meridian/version.hpp>.
#pragma once

#include <meridian/frame.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace meridian::inline v2 {

/// Frames of one origin with consecutive sequences, either all stored or all live: first,
/// first + 1, … modulo the counter's range. Frames of other origins may lie between them. Sequences
/// are tracked per run, not per frame.
struct Run {
  Origin origin;
  std::uint32_t frames = 0;
  std::uint64_t first = 0;
  std::uint64_t bytes = 0;  ///< octets of these frames, headers included
  bool stored = false;      ///< FrameHeader::stored

  friend bool operator==(const Run&, const Run&) = default;
};

/// What is known of frames without looking at them.
struct FrameSummary {
  std::uint32_t frames = 0;
  /// Octets of each frame; 0 if the frames are not known to have the same size.
  std::uint32_t frame_bytes = 0;
  std::vector<Run> runs{};  ///< all runs, those of one origin in their order; empty: not known
};

/// What is the same for all frames of one read.
struct ReadStamp {
  SessionId session = 0;
  std::uint64_t read = 0;  ///< number of the read in its session, counting up; 0 if not known
  ReceiveTime received_at{};
  SequenceWidth width = SequenceWidth::bits64;
};

/// An allocation that batches share. Once a batch refers to octets, they do not change.
using Slab = std::shared_ptr<const std::byte[]>;

/// Octets inside a slab, which stays as long as anything refers to it.
struct SlabRange {
  Slab slab;
  std::size_t slab_bytes = 0;  ///< size of the whole slab
  std::span<const std::byte> octets;
};

/// Whole, validated frames back to back in the native layout: the unit that moves through Meridian.
/// A batch has the frames of one read. In the buffer it may have those of several small reads,
/// which were joined.
///
/// Ownership: refers to a part of a reference-counted slab, which lives as long as any batch that
/// refers to it. Moved, never copied by accident: `share` makes a second reference.
/// Thread-safety: distinct batches may be used on distinct threads, even if they share a slab.
/// Errors: none; a batch holds only frames that a decoder or a builder has checked.
/// Bounds: at least one frame, unless the batch was moved from; at most 4 GiB - 1.
class FrameBatch {
 public:
  class Iterator;

  /// The frames of a read, which fill `range`.
  FrameBatch(SlabRange range, FrameSummary summary, const ReadStamp& stamp);

  FrameBatch(FrameBatch&&) noexcept = default;
  FrameBatch& operator=(FrameBatch&&) noexcept = default;
  FrameBatch& operator=(const FrameBatch&) = delete;
  ~FrameBatch() = default;

  /// A second batch over the same octets.
  [[nodiscard]] FrameBatch share() const { return *this; }

  [[nodiscard]] std::uint32_t frames() const noexcept { return summary_.frames; }
  [[nodiscard]] std::size_t bytes() const noexcept { return octets().size(); }
  [[nodiscard]] std::span<const std::byte> octets() const noexcept { return range_.octets; }

  /// The stamp of the read that the first frame came in. If reads were joined, `read` is 0, and so
  /// is `session` if they were of several sessions.
  [[nodiscard]] const ReadStamp& stamp() const noexcept { return stamp_; }

  /// How many reads its frames came in.
  [[nodiscard]] std::size_t reads() const noexcept { return 1 + later_reads_.size(); }

  /// Whether a client may have had these frames before: they were leased, and have been put back.
  [[nodiscard]] bool redelivered() const noexcept { return redelivered_; }
  void mark_redelivered() noexcept { redelivered_ = true; }

  /// When the frame that begins at `offset` in `octets` was received.
  [[nodiscard]] ReceiveTime received_at(std::size_t offset) const noexcept;

  [[nodiscard]] Iterator begin() const noexcept;
  [[nodiscard]] Iterator end() const noexcept;

  /// Octets of memory that this batch keeps in use: what it knows of its frames, and its whole
  /// slab, even if other batches share that.
  [[nodiscard]] std::size_t footprint() const noexcept {
    return range_.slab_bytes + summary_.runs.capacity() * sizeof(Run) +
           later_reads_.capacity() * sizeof(LaterRead) +
           (satellites_ ? satellites_->capacity() * sizeof(SatelliteId) : 0);
  }

  /// Where its slab begins: the same for batches that share one.
  [[nodiscard]] const std::byte* slab() const noexcept { return range_.slab.get(); }

  /// Forgets the runs if they are large compared with the octets: `find_runs` can find them again.
  void forget_large_runs();

  /// For a batch that may stay longer than others that share its slab. If the batch fills less than
  /// half of its slab, it moves to an allocation of its own. Also forgets large runs. The footprint
  /// is then at most two and a quarter times its octets, plus 8 octets for each joined read and 4
  /// for each satellite that it knows. Returns how many octets were copied.
  std::size_t compact();

  /// From now on the batch refers to this copy of its octets.
  void relocate(SlabRange copy) noexcept;

  /// Octets of each frame; 0 if the frames are not known to have the same size.
  [[nodiscard]] std::uint32_t frame_bytes() const noexcept { return summary_.frame_bytes; }

  /// The only run, if the batch is known to be a single run; null otherwise.
  [[nodiscard]] const Run* only_run() const noexcept {
    return summary_.runs.size() == 1 ? &summary_.runs.front() : nullptr;
  }

  /// The satellites that have frames in the batch, ascending. The first call walks the batch and
  /// remembers them. A batch that was divided or joined since then may have to be walked again.
  [[nodiscard]] std::span<const SatelliteId> satellites();
  [[nodiscard]] bool knows_satellites() const noexcept { return satellites_ != nullptr; }

  /// The batch as runs: as the decoder found them or, if they are no longer known, found by walking
  /// the batch.
  [[nodiscard]] std::vector<Run> find_runs() const;

  /// Calls `visit(const Run&)` for each run.
  template <typename Visit>
  void for_each_run(Visit&& visit) const {
    if (summary_.runs.empty()) {
      for (const Run& run : find_runs()) {
        visit(run);
      }
      return;
    }
    for (const Run& run : summary_.runs) {
      visit(run);
    }
  }

  /// Moves the first `count` frames into a batch of their own. 0 < count < frames().
  [[nodiscard]] FrameBatch split_front(std::uint32_t count);

  /// Moves the frames for which `takes` returns true into a batch of their own. Both parts keep
  /// their order, and get allocations of their own. REQUIRES: it returns true for at least one
  /// frame, and not for all.
  [[nodiscard]] FrameBatch take_if(const std::function<bool(const FrameView&)>& takes);

  /// One batch for each origin, with its frames in their order. The batches are in the order in
  /// which their origins first appear. If there is a single origin, the result is a second
  /// reference; otherwise each part has an allocation of its own.
  [[nodiscard]] std::vector<FrameBatch> divide_by_origin() const;

  /// Adds the frames of a batch whose octets follow in the same slab, without copying. Forgets the
  /// runs. Does nothing and returns false if the octets do not follow, if more than 2^31 µs (35
  /// minutes) lie between the first read and that of `next`, if `next` has joined reads itself, if
  /// the counters differ in width, or if one of the two is marked as redelivered.
  [[nodiscard]] bool join(const FrameBatch& next);

  /// How many leading frames stay within both bounds.
  [[nodiscard]] std::uint32_t leading_frames_within(std::uint64_t max_frames,
                                                    std::uint64_t max_bytes) const noexcept;

  /// The fewest leading frames that reach both amounts, or all frames if that is not enough.
  [[nodiscard]] std::uint32_t leading_frames_reaching(std::uint64_t min_frames,
                                                      std::uint64_t min_bytes) const noexcept;

 private:
  /// A read that was joined. Small: there may be one for each frame.
  struct LaterRead {
    std::uint32_t begin = 0;         // its first octet
    std::int32_t since_base_us = 0;  // when it was received
  };
  class Part;

  FrameBatch(const FrameBatch&) = default;

  [[nodiscard]] std::optional<std::int32_t> since_base_us(ReceiveTime time) const noexcept;
  [[nodiscard]] std::size_t bytes_of_leading(std::uint32_t count) const noexcept;
  [[nodiscard]] FrameSummary split_summary(std::uint32_t count, std::size_t bytes);
  [[nodiscard]] std::vector<LaterRead> split_reads(std::size_t bytes);

  SlabRange range_;
  FrameSummary summary_;
  ReadStamp stamp_;
  ReceiveTime time_base_;                                       // of later_reads_
  std::vector<LaterRead> later_reads_;                          // in the order of their octets
  std::shared_ptr<const std::vector<SatelliteId>> satellites_;  // nothing: not known
  bool redelivered_ = false;
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
/// Not thread-safe. `append` throws std::length_error if the batch would exceed 4 GiB - 1.
class FrameBatchBuilder {
 public:
  void append(const FrameHeader& header, std::span<const std::byte> payload);

  /// The batch, or nothing if no frame was appended. The builder is empty afterwards.
  [[nodiscard]] std::optional<FrameBatch> finish(const ReadStamp& stamp);

 private:
  std::vector<std::byte> octets_;
  std::uint32_t frames_ = 0;
};

}  // namespace meridian::inline v2
