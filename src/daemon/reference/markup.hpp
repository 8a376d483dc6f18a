/// Converts sentences of the tables, in which code is between backticks, for other kinds of
/// document.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace meridian::daemon {

/// The text without its backticks.
[[nodiscard]] std::string plain(std::string_view text);

/// A text for a cell of a table in Markdown.
[[nodiscard]] std::string cell(std::string_view text);

/// Lines of at most `width` columns, each with `prefix` before it and a line end after it.
[[nodiscard]] std::string wrapped(std::string_view text, std::string_view prefix,
                                  std::size_t width);

/// Lines of mdoc(7): each sentence and each piece of code on lines of its own.
[[nodiscard]] std::string mdoc(std::string_view text);

/// A word of mdoc(7), escaped.
[[nodiscard]] std::string mdoc_word(std::string_view word);

}  // namespace meridian::daemon
