/// The service manager's watchdog, which ends a daemon that stands still.
#pragma once

#include <chrono>
#include <optional>

namespace meridian::service {

/// How often it wants to hear of this process at least (`Notifier::alive`); nothing where there is
/// none.
[[nodiscard]] std::optional<std::chrono::microseconds> watchdog_interval();

}  // namespace meridian::service
