/// Text in the cells of a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace meridian::top {

// All functions here take UTF-8. The locale (LC_CTYPE) decides how wide a character is, and whether
// it can be shown at all.

/// The text as `runtime::printable` returns it, but with a "?" for each character that the locale
/// cannot show.
[[nodiscard]] std::string printable(std::string_view text);

/// How many cells a printable text takes.
[[nodiscard]] std::size_t cells_of(std::string_view text);

/// As much of a printable text as fits into that many cells.
[[nodiscard]] std::string_view clipped(std::string_view text, std::size_t cells);

[[nodiscard]] std::wstring to_wide(std::string_view text);

}  // namespace meridian::top
