/// The service manager's watchdog, which kills a daemon that no longer responds.
#pragma once

#include <chrono>
#include <optional>

namespace meridian::service {

/// The longest allowed time between two calls of `Notifier::alive`; empty if there is no watchdog.
[[nodiscard]] std::optional<std::chrono::microseconds> watchdog_interval();

}  // namespace meridian::service
