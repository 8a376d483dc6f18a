/// Files that a program writes for its user.
#pragma once

#include <cstdint>
#include <string>

namespace meridian::runtime {

/// What to do with a file that is not empty. It may be the only copy of frames that were drained.
enum class WhenThere : std::uint8_t { refuse, append, replace };

/// Opens a file for writing and returns the descriptor. Locks a regular file as long as it is open,
/// so that the output of two programs cannot mix. Devices and pipes are neither locked nor refused.
/// A file that is to be replaced keeps its contents until `empty_output`. Throws
/// std::runtime_error, with the file's name and what to do.
[[nodiscard]] int open_output(const std::string& path, WhenThere when_there);

/// Empties an open file; leaves devices and pipes as they are. Call it only when there are new
/// contents to write. Returns false with the reason in errno.
[[nodiscard]] bool empty_output(int descriptor) noexcept;

}  // namespace meridian::runtime
