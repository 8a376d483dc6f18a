/// Collects runs while frames are decoded.
#pragma once

#include <meridian/frame_batch.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace meridian::inline v2::frame {

/// Turns frames, given by origin, sequence, octets and whether they are stored, into a summary with
/// runs. A run can be continued as long as it is among the last `open_runs`, so a few interleaved
/// origins still make one run each. The runs of one origin, stored and live, stay in the order in
/// which its frames came.
class RunBuilder {
 public:
  explicit RunBuilder(SequenceWidth width) noexcept : mask_(largest_sequence(width)) {}

  void add(Origin origin, std::uint64_t sequence, std::size_t bytes, bool stored = false) {
    ++frames_;
    differs_ |= bytes ^ first_bytes_;
    if (frames_ == 1) [[unlikely]] {
      first_bytes_ = bytes;
      differs_ = 0;
    }
    if (last_ < runs_.size() && continues(runs_[last_], origin, sequence, stored)) [[likely]] {
      extend(runs_[last_], bytes);
      return;
    }
    add_elsewhere(origin, sequence, bytes, stored);
  }

  /// Adds `count` more frames like the last one: of the same size, and with sequences that count up
  /// from it.
  void add_alike(std::uint32_t count, std::size_t bytes) {
    frames_ += count;
    runs_[last_].frames += count;
    runs_[last_].bytes += count * bytes;
  }

  [[nodiscard]] std::uint32_t frames() const noexcept { return frames_; }

  /// Returns what was added, and starts over.
  [[nodiscard]] FrameSummary take() noexcept {
    last_ = 0;
    return {.frames = std::exchange(frames_, 0),
            .frame_bytes = differs_ == 0 ? static_cast<std::uint32_t>(first_bytes_) : 0,
            .runs = std::exchange(runs_, {})};
  }

 private:
  static constexpr std::size_t open_runs = 8;

  [[nodiscard]] bool continues(const Run& run, Origin origin, std::uint64_t sequence,
                               bool stored) const noexcept {
    return run.origin == origin && ((run.first + run.frames) & mask_) == sequence &&
           run.stored == stored;
  }
  static void extend(Run& run, std::size_t bytes) noexcept {
    ++run.frames;
    run.bytes += bytes;
  }
  void add_elsewhere(Origin origin, std::uint64_t sequence, std::size_t bytes, bool stored);

  std::vector<Run> runs_;
  std::size_t last_ = 0;  // the run that was touched last
  std::uint64_t mask_;
  std::uint32_t frames_ = 0;
  std::size_t first_bytes_ = 0;  // octets of the first frame
  std::size_t differs_ = 0;      // not 0 once a frame has another size
};

}  // namespace meridian::inline v2::frame
