/// How far a sink is behind.
#pragma once

#include <meridian/positions.hpp>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <vector>

namespace meridian::status {

/// The figures of the consumer of that name. If there is none, all figures are 0.
[[nodiscard]] inline ConsumerStats consumer_of(std::string_view name,
                                               const std::vector<ConsumerStats>& consumers) {
  const auto found = std::ranges::find(consumers, name, &ConsumerStats::name);
  return found == consumers.end() ? ConsumerStats{} : *found;
}

/// Seconds since the oldest frame that is still to be delivered was received; 0 if there is none,
/// or if the clock was set back.
[[nodiscard]] inline double lag_seconds(const ConsumerStats& consumer, ReceiveTime now) noexcept {
  if (!consumer.oldest) {
    return 0;
  }
  const auto lag = std::chrono::floor<std::chrono::milliseconds>(now - *consumer.oldest);
  return std::max(0.0, static_cast<double>(lag.count()) / 1000.0);
}

}  // namespace meridian::status
