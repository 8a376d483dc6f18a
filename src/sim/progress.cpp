#include "sim/progress.hpp"

#include "status/figures.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace meridian::sim {

Progress::Progress(const Options& options, std::optional<std::uint64_t> total_frames)
    : options_(options),
      total_frames_(total_frames),
      started_at_(Clock::now()),
      drawn_at_(started_at_) {}

double Progress::share_done(const Totals& totals) const {
  const auto frames = static_cast<double>(totals.frames.load(std::memory_order_relaxed));
  const std::chrono::duration<double> elapsed = Clock::now() - started_at_;
  double share = 0;
  if (total_frames_) {
    share = frames / static_cast<double>(std::max<std::uint64_t>(*total_frames_, 1));
  }
  if (options_.duration) {
    share = std::max(share, elapsed / *options_.duration);
  }
  return std::min(share, 1.0);
}

void Progress::draw(const Totals& totals) {
  if (!line_.is_seen()) {
    return;
  }
  const Clock::time_point now = Clock::now();
  const std::chrono::duration<double> since = now - drawn_at_;
  const std::uint64_t frames = totals.frames.load(std::memory_order_relaxed);
  const double rate = static_cast<double>(frames - frames_then_) / std::max(since.count(), 1e-3);
  const std::chrono::duration<double> elapsed = now - started_at_;
  const double held = static_cast<double>(totals.held_ns.load(std::memory_order_relaxed)) / 1e9 /
                      static_cast<double>(options_.uplinks) / std::max(elapsed.count(), 1e-3);
  drawn_at_ = now;
  frames_then_ = frames;
  line_.draw(share_done(totals),
             fmt::format("{} frames  {:.2f} M frames/s  held back {:.0f} %",
                         status::with_separators(frames), rate / 1e6, std::min(held, 1.0) * 100));
}

}  // namespace meridian::sim
