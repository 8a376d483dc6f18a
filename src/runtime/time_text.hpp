/// Times in a form that programs and people can read.
#pragma once

#include <chrono>
#include <string>

namespace meridian::runtime {

/// RFC 3339, UTC, with microseconds: "2026-11-23T02:49:47.000000Z".
[[nodiscard]] std::string format_time(std::chrono::sys_time<std::chrono::microseconds> time);

}  // namespace meridian::runtime
