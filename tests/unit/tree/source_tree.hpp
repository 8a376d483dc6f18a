/// The files of the checkout, for the tests that check the tree itself.
#pragma once

#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::test {

/// The files anywhere below these directories of the checkout whose names end in one of these
/// extensions (".hpp"), sorted. Throws std::filesystem::filesystem_error where a directory is
/// missing.
[[nodiscard]] std::vector<std::filesystem::path> files_below(
    std::initializer_list<std::string_view> directories,
    std::initializer_list<std::string_view> extensions);

/// The path of a file within the checkout: "src/frame/wire.hpp".
[[nodiscard]] std::string name_in_tree(const std::filesystem::path& file);

/// Throws std::runtime_error where the file cannot be read.
[[nodiscard]] std::vector<std::string> lines_of_file(const std::filesystem::path& file);

/// What a file includes, as it stands between the quotes or the brackets.
[[nodiscard]] std::vector<std::string> includes_of(const std::filesystem::path& file);

}  // namespace meridian::test
