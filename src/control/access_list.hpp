/// A file that members of a second group may use (acl(5)).
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

namespace meridian::control {

/// Sets the mode of a file, and lets members of `group` read and write it besides; with none,
/// nobody else. False, with `errno`, where the system refuses it, as file systems without access
/// lists do.
[[nodiscard]] bool set_second_group(const std::string& path, mode_t mode,
                                    std::optional<gid_t> group);

}  // namespace meridian::control
