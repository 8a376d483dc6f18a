#include "runtime/log_level.hpp"

#include <algorithm>

namespace meridian::runtime {

namespace {

using Named = std::pair<std::string_view, spdlog::level::level_enum>;

}  // namespace

std::optional<spdlog::level::level_enum> log_level_from(std::string_view name) {
  const auto* const found = std::ranges::find(log_levels, name, &Named::first);
  return found == log_levels.end() ? std::nullopt : std::optional(found->second);
}

std::string_view name_of(spdlog::level::level_enum level) {
  const auto* const found = std::ranges::find(log_levels, level, &Named::second);
  return found == log_levels.end() ? "unknown" : found->first;
}

}  // namespace meridian::runtime
