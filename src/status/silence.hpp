/// Which satellites are not heard any more.
#pragma once

#include "frame/keyed_hash.hpp"

#include <meridian/aggregator.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace meridian::status {

/// Those that are silent.
struct SilentSatellites {
  std::chrono::seconds after{0};        ///< 0: nobody watches
  std::vector<SatelliteId> satellites;  ///< sorted

  [[nodiscard]] bool contains(SatelliteId satellite) const noexcept;
};

/// Finds out by looking again and again at what has been counted: a satellite of which no frame
/// came between looks over some time is silent. Time is measured, not read off a clock that may be
/// set. Satellites that are only in the sum over those beyond `max_tracked` are not watched.
///
/// Thread-safety: `silent` may be called from any thread; the rest by one at a time.
class Silence {
 public:
  using Clock = std::chrono::steady_clock;

  /// 0: none is silent.
  void set_limit(std::chrono::seconds after);
  [[nodiscard]] bool watches() const noexcept { return after_.count() > 0; }

  /// Looks at a part of all origins.
  void look_at(const std::vector<OriginStats>& origins);

  /// What has become of them, after a look at all. A satellite that is no longer silent because the
  /// limit was raised is in neither list, nor is one that was not there: it is forgotten.
  struct Changes {
    std::vector<SatelliteId> fell_silent;
    std::vector<SatelliteId> heard_again;
  };
  /// Whether frames could arrive since the look before. Where backpressure held them back, nobody
  /// can be told to be silent: that time does not count.
  enum class Uplinks : std::uint8_t { open, held_back };
  [[nodiscard]] Changes finish_look(Clock::time_point now, ReceiveTime time,
                                    Uplinks uplinks = Uplinks::open);

  [[nodiscard]] std::shared_ptr<const SilentSatellites> silent() const;

 private:
  struct Satellite {
    std::uint64_t frames = 0;      // of all its channels, at the look before
    std::uint64_t frames_now = 0;  // as far as this look has come
    ReceiveTime last_seen_at{};
    Clock::time_point last_heard{};
    bool silent = false;
    bool listed = false;  // in this look
  };

  void publish();

  std::chrono::seconds after_{0};
  KeyedMap<SatelliteId, Satellite> satellites_;
  Clock::time_point last_look_{};

  mutable std::mutex mutex_;
  std::shared_ptr<const SilentSatellites> silent_ = std::make_shared<const SilentSatellites>();
};

}  // namespace meridian::status
