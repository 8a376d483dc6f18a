/// Which satellites are no longer heard.
#pragma once

#include "frame/keyed_hash.hpp"

#include <meridian/aggregator.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace meridian::status {

/// The satellites that are silent.
struct SilentSatellites {
  std::chrono::seconds after{0};        ///< 0: silence is not watched
  std::vector<SatelliteId> satellites;  ///< sorted

  [[nodiscard]] bool contains(SatelliteId satellite) const noexcept;
};

/// Looks repeatedly at the counts of frames. A satellite is silent if no look has found a new frame
/// of it for some time. That time comes from a steady clock, not from one that may be set. Only the
/// time before the first look at a satellite comes from its last receive time. Satellites beyond
/// `max_tracked`, which are counted only as a sum, are not watched.
///
/// Thread-safety: `silent` may be called from any thread; the rest by one thread at a time.
class Silence {
 public:
  using Clock = std::chrono::steady_clock;

  /// Sets the time after which a satellite is silent. With 0, none is.
  void set_limit(std::chrono::seconds after);
  [[nodiscard]] bool watches() const noexcept { return after_.count() > 0; }

  /// Looks at a part of all origins.
  void look_at(const std::vector<OriginStats>& origins);

  /// What a look at all origins has found to be different. A satellite that is no longer silent
  /// only because the limit was raised is in neither list. Nor is a satellite that this look did
  /// not find: it is forgotten.
  struct Changes {
    std::vector<SatelliteId> fell_silent;
    std::vector<SatelliteId> heard_again;
  };
  /// Whether frames could arrive since the previous look. If backpressure held them back, that time
  /// does not count as silence.
  enum class Uplinks : std::uint8_t { open, held_back };
  [[nodiscard]] Changes finish_look(Clock::time_point now, ReceiveTime time,
                                    Uplinks uplinks = Uplinks::open);

  [[nodiscard]] std::shared_ptr<const SilentSatellites> silent() const;

 private:
  struct Satellite {
    std::uint64_t frames = 0;      // of all its channels, at the previous look
    std::uint64_t frames_now = 0;  // the same, as far as this look has come
    ReceiveTime last_seen_at{};
    Clock::time_point last_heard{};
    bool silent = false;
    bool listed = false;  // in this look
  };

  void publish();

  std::chrono::seconds after_{0};
  frame::KeyedMap<SatelliteId, Satellite> satellites_;
  Clock::time_point last_look_{};

  mutable std::mutex mutex_;
  std::shared_ptr<const SilentSatellites> silent_ = std::make_shared<const SilentSatellites>();
};

}  // namespace meridian::status
