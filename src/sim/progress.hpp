/// One line on a terminal that shows how far a simulation has come.
#pragma once

#include "sim/options.hpp"
#include "sim/uplink.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace meridian::sim {

/// Draws on the standard error; silent where that is not a terminal. Not thread-safe.
class Progress {
 public:
  using Clock = std::chrono::steady_clock;

  /// `total_frames`: of all uplinks, if it is known.
  Progress(const Options& options, std::optional<std::uint64_t> total_frames);

  void draw(const Totals& totals);

  /// Clears the line.
  void clear();

 private:
  [[nodiscard]] double share_done(const Totals& totals) const;

  Options options_;
  std::optional<std::uint64_t> total_frames_;
  bool terminal_;
  Clock::time_point started_at_;
  Clock::time_point drawn_at_;
  std::uint64_t frames_then_ = 0;
};

}  // namespace meridian::sim
