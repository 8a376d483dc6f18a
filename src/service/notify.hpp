/// What the service manager is told, where there is one.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace meridian::service {

// Each tells systemd by the protocol of sd_notify(3), and does nothing where $NOTIFY_SOCKET is not
// set. Thread-safe; none waits.
void notify_ready();
void notify_reloading();
void notify_stopping();

/// The daemon still turns, and a line about what it does.
void notify_alive(std::string_view status);

/// How often `notify_alive` is expected at least; nothing if nobody watches.
[[nodiscard]] std::optional<std::chrono::microseconds> watchdog_interval();

}  // namespace meridian::service
