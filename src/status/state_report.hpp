/// What was restored at the start.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace meridian::status {

/// How the state of the last stop was restored.
struct StateReport {
  std::optional<std::string> directory;  ///< nothing: nothing is saved
  std::uint64_t restored = 0;            ///< frames
  std::uint64_t not_restored = 0;        ///< frames that were saved and could not be read
  std::uint64_t damaged_bytes = 0;       ///< octets of the saved state that could not be read
  std::optional<std::string> set_aside;  ///< the file that has the damaged octets now
};

}  // namespace meridian::status
