/// Limits of the process.
#pragma once

#include <cstddef>

namespace meridian::runtime {

/// Raises the limit on open files as far as the system allows for this process.
void raise_open_files_limit();

/// Reserves `count` descriptors, but at most a quarter of all, which uplinks may not use. So
/// operators can connect, however many uplinks there are. Thread-safe.
void keep_descriptors(std::size_t count) noexcept;

/// Whether an uplink may have one more descriptor. `open` is any open descriptor. Thread-safe.
[[nodiscard]] bool has_descriptor_to_spare(int open) noexcept;

}  // namespace meridian::runtime
