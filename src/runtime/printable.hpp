/// Makes text from outside safe to show.
#pragma once

#include <string>
#include <string_view>

namespace meridian::runtime {

/// The text as one line that a terminal or a log shows completely, and without side effects. What a
/// server or a peer says must not move the cursor, begin a line of its own, or reverse the order of
/// letters. Characters that could do so are written as "\n", "\t", "\x1b" or "\u{202e}", and octets
/// that are not UTF-8 as "\xff". Everything else is unchanged.
[[nodiscard]] std::string printable(std::string_view text);

/// A URL, even a malformed one, with "…" in place of user and password.
[[nodiscard]] std::string hide_password(std::string_view url);

/// Does the same for every URL in a text such as JSON. A URL ends at the next quotation mark that
/// is not escaped.
[[nodiscard]] std::string hide_passwords(std::string_view text);

}  // namespace meridian::runtime
