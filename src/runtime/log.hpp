/// Messages with fields, so that the log can be searched by who and why.
#pragma once

#include "runtime/peer_lines.hpp"

#include <spdlog/spdlog.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace meridian::runtime::log {

/// What a message is about. A name may occur several times, if its fields follow each other. The
/// names in use: peer, reason, satellite, listener, uplink, sink, request, uid, pid. The text must
/// be complete without them.
struct Field {
  std::string_view name;
  std::string value;
};
using Fields = std::vector<Field>;

/// The fields of the message that this thread is logging. For log sinks and formatters, which run
/// on that thread.
[[nodiscard]] std::span<const Field> current_fields() noexcept;

/// Sets `current_fields` for as long as it lives.
class FieldScope {
 public:
  explicit FieldScope(std::span<const Field> fields) noexcept;
  FieldScope(const FieldScope&) = delete;
  FieldScope& operator=(const FieldScope&) = delete;
  ~FieldScope();
};

template <typename... Args>
void write(spdlog::level::level_enum level, const Fields& fields,
           fmt::format_string<Args...> format, Args&&... args) {
  const FieldScope scope(fields);
  spdlog::log(level, format, std::forward<Args>(args)...);
}

template <typename... Args>
void info(const Fields& fields, fmt::format_string<Args...> format, Args&&... args) {
  write(spdlog::level::info, fields, format, std::forward<Args>(args)...);
}
template <typename... Args>
void warn(const Fields& fields, fmt::format_string<Args...> format, Args&&... args) {
  write(spdlog::level::warn, fields, format, std::forward<Args>(args)...);
}
template <typename... Args>
void error(const Fields& fields, fmt::format_string<Args...> format, Args&&... args) {
  write(spdlog::level::err, fields, format, std::forward<Args>(args)...);
}

/// Logs a line that a peer can cause again and again. Logs only a limited number a second of each
/// `kind`, and counts the rest (`PeerLines`). A kind is a reason, and the listener, sink or user
/// that it is about.
template <typename... Args>
void limited(spdlog::level::level_enum level, std::string_view kind, const Fields& fields,
             fmt::format_string<Args...> format, Args&&... args) {
  if (spdlog::should_log(level) && PeerLines::of_process().admit(kind, PeerLines::Clock::now())) {
    write(level, fields, format, std::forward<Args>(args)...);
  }
}

/// Logs how many lines of each kind were left out. Must be called every second. At the end of the
/// program, `now` must be so late that the last second is over.
void tell_left_out(PeerLines::Clock::time_point now = PeerLines::Clock::now());

/// Counts lines that could not be written, because the target did not take them in time or at all.
/// The writer of the lines calls it. Thread-safe.
void count_lost(std::uint64_t lines) noexcept;
[[nodiscard]] std::uint64_t lost_lines() noexcept;

}  // namespace meridian::runtime::log
