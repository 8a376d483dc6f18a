/// What the server has, by path.
#pragma once

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
};

/// What a request's target names, whatever its query; nothing where there is nothing.
[[nodiscard]] std::optional<Resource> resource_at(std::string_view target);

}  // namespace meridian::http
