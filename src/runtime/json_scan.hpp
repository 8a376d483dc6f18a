/// Checks JSON from outside before anything is built from it.
///
/// The JSON library parses without recursion, but copies and writes values recursively: a deeply
/// nested value would overflow the stack. And if an object has a key twice, the library silently
/// keeps the last one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace meridian::runtime {

/// Why a text is rejected.
struct JsonFault {
  enum class Kind : std::uint8_t { not_json, nested_too_deeply, doubled_key, number_too_large };
  Kind kind{};
  std::string path;    ///< where the fault is, such as "uplinks[1].name"; "": the whole text
  std::string reason;  ///< the parser's own, for `not_json`
};

struct JsonRules {
  std::size_t deepest = 32;  ///< how deep objects and lists may be nested
  bool comments = false;     ///< whether `//` comments are allowed
};

struct JsonScan {
  std::optional<JsonFault> fault;  ///< the first one, or `not_json` if the text is no JSON
  /// The member "id" of the outermost object, as JSON text. Numbers are copied octet for octet,
  /// however many digits they have. Nothing unless there is exactly one such member and it is a
  /// string, a number (not one that is too large) or null.
  std::optional<std::string> id;
};

/// Scans a whole text, without recursion and without building values.
[[nodiscard]] JsonScan scan_json(std::string_view text, const JsonRules& rules);

/// Whether objects and lists are nested more than `levels` deep. Only counts brackets outside
/// strings, which is cheap even for long answers. Does not check that the text is valid.
[[nodiscard]] bool is_nested_deeper(std::string_view json, std::size_t levels) noexcept;

/// More levels than any answer of the daemon has.
inline constexpr std::size_t deepest_answer = 32;

/// A key made fit to be shown: escaped, and cut after 60 octets.
[[nodiscard]] std::string shown_key(std::string_view key);

}  // namespace meridian::runtime
