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

/// The access list of a file as the system keeps it; nothing where it has none.
[[nodiscard]] std::optional<std::string> access_list_of(const std::string& path);

/// Gives a file such a list, and with it the mode. False, with `errno`, where the system refuses
/// it.
[[nodiscard]] bool set_access_list(const std::string& path, const std::string& list);

}  // namespace meridian::control
