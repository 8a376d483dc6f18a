/// What the server offers, by path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace meridian::http {

enum class Resource : std::uint8_t {
  metrics,     ///< /metrics
  healthz,     ///< /healthz
  readyz,      ///< /readyz
  stats,       ///< /api/v1/stats
  uplinks,     ///< /api/v1/uplinks
  satellites,  ///< /api/v1/satellites
  events,      ///< /api/v1/events
};

/// Host and port of a request's target; nothing unless it is an absolute URL ("http://host/path").
[[nodiscard]] constexpr std::optional<std::string_view> authority_of(
    std::string_view target) noexcept {
  constexpr std::string_view scheme = "http://";
  if (!target.starts_with(scheme)) {
    return std::nullopt;
  }
  target.remove_prefix(scheme.size());
  return target.substr(0, target.find_first_of("/?"));
}

/// A request's target without its query; of an absolute URL ("http://host/path"), the path.
[[nodiscard]] constexpr std::string_view path_of(std::string_view target) noexcept {
  constexpr std::string_view scheme = "http://";
  if (target.starts_with(scheme)) {
    // A query may hold slashes, and may follow the host directly, without a path.
    const std::size_t end = target.find_first_of("/?", scheme.size());
    target = end == std::string_view::npos || target[end] == '?' ? "/" : target.substr(end);
  }
  return target.substr(0, target.find('?'));
}

/// What a request's target names, whatever its query; nothing if there is no such resource.
[[nodiscard]] std::optional<Resource> resource_at(std::string_view target);

}  // namespace meridian::http
