#include "daemon/descriptors.hpp"

#include "http/options.hpp"
#include "runtime/process_limits.hpp"

#include <cstddef>

namespace meridian::daemon {

void keep_descriptors_for_operators(const Config& config) {
  constexpr std::size_t others = 64;
  const std::size_t http_clients =
      config.http.listen ? config.http.max_clients + http::reserved_places : 0;
  runtime::keep_descriptors(config.control.max_clients + http_clients + others);
}

}  // namespace meridian::daemon
