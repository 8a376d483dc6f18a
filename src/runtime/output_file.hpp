/// Files that a program writes for its user.
#pragma once

#include <cstdint>
#include <string>

namespace meridian::runtime {

/// What becomes of a file that holds something already. It may be the only copy of frames that are
/// nowhere else any more.
enum class WhenThere : std::uint8_t { refuse, append, replace };

/// Opens a file to be written, and locks it as long as it is open: what two programs write would
/// be mixed up. Devices and pipes are opened as they are. One that is to be replaced keeps what it
/// holds until `empty_output`. Returns the descriptor. Throws std::runtime_error, with the file's
/// name and what to do.
[[nodiscard]] int open_output(const std::string& path, WhenThere when_there);

/// Empties an open file, and leaves devices and pipes as they are. To be called when there is
/// something to take the place of what it holds. False with the reason in errno.
[[nodiscard]] bool empty_output(int descriptor) noexcept;

}  // namespace meridian::runtime
