#include "top/terminal_text.hpp"

#include "runtime/printable.hpp"

#include <algorithm>

#include <wchar.h>

namespace meridian::top {

namespace {

constexpr wchar_t invalid = 0xFFFF;  // not a character, so never printable

/// How many octets a UTF-8 sequence has that begins with `first`. 0 if none begins with it.
std::size_t length_of_sequence(unsigned char first) {
  if (first < 0x80) {
    return 1;
  }
  if (first < 0xC2 || first > 0xF4) {
    return 0;
  }
  return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

/// Takes the first character off a text that is not empty.
wchar_t take_character(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = length_of_sequence(first);
  if (length == 0 || length > text.size()) {
    text.remove_prefix(1);
    return invalid;
  }
  unsigned code = length == 1 ? first : first & (0x7FU >> length);
  for (const char next : text.substr(1, length - 1)) {
    const auto octet = static_cast<unsigned char>(next);
    if ((octet & 0xC0U) != 0x80U) {
      text.remove_prefix(1);
      return invalid;
    }
    code = code << 6U | (octet & 0x3FU);
  }
  text.remove_prefix(length);
  return static_cast<wchar_t>(code);
}

}  // namespace

std::string printable(std::string_view raw) {
  const std::string in_one_line = runtime::printable(raw);
  std::string_view text = in_one_line;
  std::string out;
  while (!text.empty()) {
    const std::string_view before = text;
    const bool shows = ::wcwidth(take_character(text)) > 0;
    out += shows ? before.substr(0, before.size() - text.size()) : "?";
  }
  return out;
}

std::size_t cells_of(std::string_view text) {
  std::size_t cells = 0;
  while (!text.empty()) {
    cells += static_cast<std::size_t>(std::max(0, ::wcwidth(take_character(text))));
  }
  return cells;
}

std::string_view clipped(std::string_view text, std::size_t cells) {
  std::string_view rest = text;
  while (!rest.empty()) {
    std::string_view after = rest;
    const auto width = static_cast<std::size_t>(std::max(0, ::wcwidth(take_character(after))));
    if (width > cells) {
      break;
    }
    cells -= width;
    rest = after;
  }
  return text.substr(0, text.size() - rest.size());
}

std::wstring to_wide(std::string_view text) {
  std::wstring wide;
  while (!text.empty()) {
    wide += take_character(text);
  }
  return wide;
}

}  // namespace meridian::top
