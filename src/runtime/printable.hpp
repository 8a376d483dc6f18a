/// Text of others, before people see it.
#pragma once

#include <string>
#include <string_view>

namespace meridian::runtime {

/// The text in one line, such that a terminal or a log shows all of it and does nothing else: what
/// a server or a peer says must not move the cursor, begin a line of its own or turn the order of
/// letters round. Such characters are written as "\n", "\t", "\x1b" or "\u{202e}", octets that are
/// no UTF-8 as "\xff". All else stays as it is.
[[nodiscard]] std::string printable(std::string_view text);

/// A URL, or what was meant to be one, with "…" in place of user and password.
[[nodiscard]] std::string hide_password(std::string_view url);

/// The same for every URL in a text, such as JSON; each is taken to go on to the next quotation
/// mark that is not escaped.
[[nodiscard]] std::string hide_passwords(std::string_view text);

}  // namespace meridian::runtime
