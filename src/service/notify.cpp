#include "service/notify.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <ctime>
#include <string>

#include <systemd/sd-daemon.h>

namespace meridian::service {

namespace {

void notify(const std::string& state) {
  ::sd_notify(/*unset_environment=*/0, state.c_str());  // where it fails nobody listens
}

std::uint64_t monotonic_us() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
}

}  // namespace

void notify_ready() {
  notify("READY=1");
}

void notify_reloading() {
  // The time is what Type=notify-reload of later versions wants besides.
  notify(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_us()));
}

void notify_stopping() {
  notify("STOPPING=1");
}

void notify_alive(std::string_view status) {
  notify(fmt::format("WATCHDOG=1\nSTATUS={}", status));
}

std::optional<std::chrono::microseconds> watchdog_interval() {
  std::uint64_t microseconds = 0;
  if (::sd_watchdog_enabled(/*unset_environment=*/0, &microseconds) <= 0) {
    return std::nullopt;
  }
  return std::chrono::microseconds(microseconds);
}

}  // namespace meridian::service
