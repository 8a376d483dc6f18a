/// Messages with fields, for those who search the log by who and why.
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

/// What a message is about; a name may come several times, in a row. The names in use: peer,
/// reason, satellite, listener, uplink, request, uid, pid. The text must not need them.
struct Field {
  std::string_view name;
  std::string value;
};
using Fields = std::vector<Field>;

/// Those of the message that this thread is logging now; for sinks and formatters, which run on the
/// thread that logs.
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

/// A line that a peer can cause, again and again: of each `kind` some a second are logged, and the
/// others counted (`PeerLines`). A kind is a reason, and the listener, sink or user it is about.
template <typename... Args>
void limited(spdlog::level::level_enum level, std::string_view kind, const Fields& fields,
             fmt::format_string<Args...> format, Args&&... args) {
  if (spdlog::should_log(level) && PeerLines::of_process().admit(kind, PeerLines::Clock::now())) {
    write(level, fields, format, std::forward<Args>(args)...);
  }
}

/// Logs how many lines of each kind were left out. To be called every second; and at the end, with
/// a time at which all seconds are over.
void tell_left_out(PeerLines::Clock::time_point now = PeerLines::Clock::now());

/// Lines that were to be written and were not, as the target did not take them in time or at all.
/// Counted by whoever writes them. Thread-safe.
void count_lost(std::uint64_t lines) noexcept;
[[nodiscard]] std::uint64_t lost_lines() noexcept;

}  // namespace meridian::runtime::log
