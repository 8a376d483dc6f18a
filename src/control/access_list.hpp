/// Lets members of a second group use a file (acl(5)).
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

namespace meridian::control {

/// Sets the mode of a file, and also lets members of `group` read and write it. Without a group,
/// removes the access list. Returns false, with `errno` set, if the system refuses, as file systems
/// without access lists do for a group.
[[nodiscard]] bool set_second_group(const std::string& path, mode_t mode,
                                    std::optional<gid_t> group);

/// The access list of a file in the system's format; nothing if it has none.
[[nodiscard]] std::optional<std::string> access_list_of(const std::string& path);

/// Gives a file such an access list, which also sets the mode of the file. Returns false, with
/// `errno` set, if the system refuses.
[[nodiscard]] bool set_access_list(const std::string& path, const std::string& list);

}  // namespace meridian::control
