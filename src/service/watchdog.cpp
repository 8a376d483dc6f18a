#include "service/watchdog.hpp"

#include <cstdint>

#include <systemd/sd-daemon.h>

namespace meridian::service {

std::optional<std::chrono::microseconds> watchdog_interval() {
  std::uint64_t microseconds = 0;
  if (::sd_watchdog_enabled(/*unset_environment=*/0, &microseconds) <= 0) {
    return std::nullopt;
  }
  return std::chrono::microseconds(microseconds);
}

}  // namespace meridian::service
