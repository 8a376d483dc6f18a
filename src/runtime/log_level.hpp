/// Log levels by the names that the configuration, command lines and the control socket use.
#pragma once

#include <spdlog/common.h>

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace meridian::runtime {

/// In order of severity, the lowest first.
inline constexpr std::array<std::pair<std::string_view, spdlog::level::level_enum>, 7> log_levels{
    {{"trace", spdlog::level::trace},
     {"debug", spdlog::level::debug},
     {"info", spdlog::level::info},
     {"warning", spdlog::level::warn},
     {"error", spdlog::level::err},
     {"critical", spdlog::level::critical},
     {"off", spdlog::level::off}}};

/// All names, for messages.
inline constexpr std::string_view log_level_names =
    "trace, debug, info, warning, error, critical, off";

[[nodiscard]] std::optional<spdlog::level::level_enum> log_level_from(std::string_view name);
[[nodiscard]] std::string_view name_of(spdlog::level::level_enum level);

}  // namespace meridian::runtime
