#include "runtime/printable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

namespace meridian::runtime {

namespace {

/// The length in octets of the UTF-8 sequence that begins with `first`; 0 if no sequence does.
std::size_t sequence_length(unsigned char first) {
  if (first < 0x80) {
    return 1;
  }
  if (first < 0xC2 || first > 0xF4) {
    return 0;
  }
  return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

/// The character encoded by the first `length` octets of the text; nothing if they are not valid.
std::optional<char32_t> character_of(std::string_view text, std::size_t length) {
  if (length == 0 || length > text.size()) {
    return std::nullopt;
  }
  const auto first = static_cast<unsigned char>(text.front());
  char32_t code = length == 1 ? first : first & (0x7FU >> length);
  for (const char next : text.substr(1, length - 1)) {
    const auto octet = static_cast<unsigned char>(next);
    if ((octet & 0xC0U) != 0x80U) {
      return std::nullopt;
    }
    code = code << 6U | (octet & 0x3FU);
  }
  const bool is_overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool is_half = code >= 0xD800 && code <= 0xDFFF;
  return is_overlong || is_half || code > 0x10FFFF ? std::nullopt : std::optional(code);
}

/// Whether a character is visible. Not visible are characters that only have an effect, and code
/// points that no character has.
bool is_shown(char32_t code) {
  using Range = std::pair<char32_t, char32_t>;
  static constexpr std::array hidden{
      Range{0x00, 0x1F},       Range{0x7F, 0x9F},       Range{0xAD, 0xAD},
      Range{0x61C, 0x61C},     Range{0x180E, 0x180E},   Range{0x200B, 0x200F},
      Range{0x2028, 0x202E},   Range{0x2060, 0x206F},   Range{0xFE00, 0xFE0F},
      Range{0xFEFF, 0xFEFF},   Range{0xFFF0, 0xFFFB},   Range{0xFFFE, 0xFFFF},
      Range{0xE0000, 0xE0FFF}, Range{0xF0000, 0x10FFFF}};
  return std::ranges::none_of(
      hidden, [code](const Range& range) { return code >= range.first && code <= range.second; });
}

/// Where the JSON string around `begin` ends: at its closing quotation mark, or at the end of the
/// text. An escaped quotation mark (`\"`) does not end it.
std::size_t end_of_string(std::string_view text, std::size_t begin) {
  bool escaped = false;
  for (std::size_t i = begin; i < text.size(); ++i) {
    if (text[i] == '"' && !escaped) {
      return i;
    }
    escaped = text[i] == '\\' && !escaped;
  }
  return text.size();
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  const auto end = std::back_inserter(out);
  while (!text.empty()) {
    const std::size_t length = sequence_length(static_cast<unsigned char>(text.front()));
    const std::optional<char32_t> code = character_of(text, length);
    const std::string_view octets = text.substr(0, code ? length : 1);
    text.remove_prefix(octets.size());
    if (code && is_shown(*code)) {
      out += octets;
    } else if (code == U'\n') {
      out += "\\n";
    } else if (code == U'\t') {
      out += "\\t";
    } else if (code && *code > 0x7F) {
      fmt::format_to(end, "\\u{{{:x}}}", static_cast<unsigned>(*code));
    } else {
      fmt::format_to(end, "\\x{:02x}", static_cast<unsigned char>(octets.front()));
    }
  }
  return out;
}

std::string hide_password(std::string_view url) {
  const std::size_t at = url.rfind('@');
  if (at == std::string_view::npos) {
    return std::string(url);
  }
  const std::size_t scheme = url.find("://");
  const std::size_t begin = scheme == std::string_view::npos || scheme > at ? 0 : scheme + 3;
  return fmt::format("{}…{}", url.substr(0, begin), url.substr(at));
}

std::string hide_passwords(std::string_view text) {
  std::string out;
  for (std::size_t scheme = text.find("://"); scheme != std::string_view::npos;
       scheme = text.find("://")) {
    const std::size_t end = end_of_string(text, scheme);
    out += text.substr(0, scheme);
    out += hide_password(text.substr(scheme, end - scheme));
    text.remove_prefix(end);
  }
  out += text;
  return out;
}

}  // namespace meridian::runtime
