/// Messages with fields, for those who search the log by who and why.
#pragma once

#include <spdlog/spdlog.h>

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

}  // namespace meridian::runtime::log
