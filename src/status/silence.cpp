#include "status/silence.hpp"

#include <algorithm>
#include <utility>

namespace meridian::status {

bool SilentSatellites::contains(SatelliteId satellite) const noexcept {
  return std::ranges::binary_search(satellites, satellite);
}

void Silence::set_limit(std::chrono::seconds after) {
  after_ = after;
  if (!watches()) {
    satellites_.clear();
  }
  publish();
}

void Silence::look_at(const std::vector<OriginStats>& origins) {
  for (const OriginStats& stats : origins) {
    if (stats.origin) {
      Satellite& satellite = satellites_[stats.origin->satellite_id];
      satellite.listed = true;
      satellite.frames_now += stats.frames;
      satellite.last_seen_at = std::max(satellite.last_seen_at, stats.last_seen_at);
    }
  }
}

Silence::Changes Silence::finish_look(Clock::time_point now, ReceiveTime time, Uplinks uplinks) {
  const Clock::duration since_last_look = now - std::exchange(last_look_, now);
  Changes changes;
  bool differs =
      std::erase_if(satellites_, [](const auto& entry) { return !entry.second.listed; }) > 0;
  for (auto& [id, satellite] : satellites_) {
    satellite.listed = false;
    const bool is_new = satellite.last_heard == Clock::time_point{};
    // If a channel was forgotten, there are fewer frames than before.
    const bool heard = !is_new && satellite.frames_now > satellite.frames;
    if (is_new) {  // it may have been last heard before a restart
      satellite.last_heard = now - std::max(time - satellite.last_seen_at, ReceiveTime::duration{});
    } else if (heard) {
      satellite.last_heard = now;
    }
    if (!heard && uplinks == Uplinks::held_back && !satellite.silent) {
      // Backpressure has kept its frames out since the last look, so that time does not count. The
      // same holds for a new satellite.
      satellite.last_heard = std::min(now, satellite.last_heard + since_last_look);
    }
    satellite.frames = std::exchange(satellite.frames_now, 0);
    const bool silent = watches() && now - satellite.last_heard >= after_;
    if (silent == std::exchange(satellite.silent, silent)) {
      continue;
    }
    differs = true;
    if (silent) {
      changes.fell_silent.push_back(id);
    } else if (heard) {  // and not only because the limit was raised
      changes.heard_again.push_back(id);
    }
  }
  std::ranges::sort(changes.fell_silent);
  std::ranges::sort(changes.heard_again);
  if (differs) {
    publish();
  }
  return changes;
}

std::shared_ptr<const SilentSatellites> Silence::silent() const {
  const std::lock_guard lock(mutex_);
  return silent_;
}

void Silence::publish() {
  auto silent = std::make_shared<SilentSatellites>();
  silent->after = after_;
  for (const auto& [id, satellite] : satellites_) {
    if (satellite.silent) {
      silent->satellites.push_back(id);
    }
  }
  std::ranges::sort(silent->satellites);
  const std::lock_guard lock(mutex_);
  silent_ = std::move(silent);
}

}  // namespace meridian::status
