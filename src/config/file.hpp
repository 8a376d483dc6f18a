/// The file that holds a configuration.
#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <optional>

namespace meridian::config {

/// The configuration of the system's service.
inline constexpr const char* installed_file = "/etc/meridian/meridiand.json";

/// `given`; if that is nothing, the installed file; nothing if that does not exist either.
[[nodiscard]] std::optional<std::filesystem::path> find_file(
    const std::optional<std::filesystem::path>& given);

/// Reads a file of at most 16 MiB: see `parse_strictly`. Blocks. Throws Error, whose message begins
/// with the file's name.
[[nodiscard]] nlohmann::json read_file(const std::filesystem::path& file);

}  // namespace meridian::config
