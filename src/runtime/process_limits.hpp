/// Limits of the process.
#pragma once

#include <cstddef>

namespace meridian::runtime {

/// Raises the number of open files to what the system allows this process.
void raise_open_files_limit();

/// Keeps so many descriptors, but at most a quarter of all, from uplinks: so that operators are
/// let in however many uplinks there are. Thread-safe.
void keep_descriptors(std::size_t count) noexcept;

/// Whether an uplink may have one more descriptor. `open` is any that is open. Thread-safe.
[[nodiscard]] bool has_descriptor_to_spare(int open) noexcept;

}  // namespace meridian::runtime
