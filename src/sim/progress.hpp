/// One line on a terminal that shows how far a simulation has come.
#pragma once

#include "sim/options.hpp"
#include "sim/progress_line.hpp"
#include "sim/uplink.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace meridian::sim {

/// Silent if the standard error is not a terminal. Not thread-safe.
class Progress {
 public:
  using Clock = std::chrono::steady_clock;

  /// `total_frames` is the number of frames of all uplinks together, if it is known.
  Progress(const Options& options, std::optional<std::uint64_t> total_frames);

  void draw(const Totals& totals);

  /// Clears the line.
  void clear() const { line_.clear(); }

 private:
  [[nodiscard]] double share_done(const Totals& totals) const;

  Options options_;
  std::optional<std::uint64_t> total_frames_;
  ProgressLine line_;
  Clock::time_point started_at_;
  Clock::time_point drawn_at_;
  std::uint64_t frames_then_ = 0;
};

}  // namespace meridian::sim
