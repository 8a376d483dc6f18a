/// JSON that came from outside, looked through before anything is made of it.
///
/// The library parses without recursion, but it copies and writes values by recursion: one that is
/// nested deeply enough overruns the stack. And of a key that an object has twice it keeps
/// the last one without a word.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace meridian::runtime {

/// Why a text is refused.
struct JsonFault {
  enum class Kind : std::uint8_t { not_json, nested_too_deeply, doubled_key, number_too_large };
  Kind kind{};
  std::string path;    ///< where it is, such as "uplinks[1].name"; "" for the whole text
  std::string reason;  ///< the parser's own, for `not_json`
};

struct JsonRules {
  std::size_t deepest = 32;  ///< objects and lists that may stand in each other
  bool comments = false;     ///< whether `//` comments are allowed
};

struct JsonScan {
  std::optional<JsonFault> fault;  ///< the first one, or that it is no JSON at all
  /// The member "id" of the object that the text is, as JSON text. Numbers are octet for octet what
  /// stands there, whatever their size. Nothing if it is not there once, or is not a string, a
  /// number or null.
  std::optional<std::string> id;
};

/// Looks through a whole text, without recursion, and builds nothing of it.
[[nodiscard]] JsonScan scan_json(std::string_view text, const JsonRules& rules);

/// Whether objects and lists stand in each other deeper than `levels`. Counts brackets outside of
/// strings, and says nothing of whether the text is valid: a cheap look at long answers.
[[nodiscard]] bool is_nested_deeper(std::string_view json, std::size_t levels) noexcept;

/// More levels than any answer of the daemon has.
inline constexpr std::size_t deepest_answer = 32;

/// A key as it can be shown: escaped, and not longer than a line.
[[nodiscard]] std::string shown_key(std::string_view key);

}  // namespace meridian::runtime
