#include "http/resource.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace meridian::http {

std::optional<Resource> resource_at(std::string_view target) {
  using Path = std::pair<std::string_view, Resource>;
  static constexpr std::array paths{
      Path{"/metrics", Resource::metrics},        Path{"/healthz", Resource::healthz},
      Path{"/readyz", Resource::readyz},          Path{"/api/v1/stats", Resource::stats},
      Path{"/api/v1/uplinks", Resource::uplinks}, Path{"/api/v1/satellites", Resource::satellites},
      Path{"/api/v1/events", Resource::events}};
  const auto* const found = std::ranges::find(paths, path_of(target), &Path::first);
  return found == paths.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace meridian::http
