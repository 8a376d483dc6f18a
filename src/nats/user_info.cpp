#include "nats/user_info.hpp"

#include <fmt/format.h>

#include <charconv>

namespace meridian::nats {

namespace {

std::optional<std::string> decode_percent(std::string_view text) {
  std::string decoded;
  while (!text.empty()) {
    const char first = text.front();
    text.remove_prefix(1);
    if (first != '%') {
      decoded += first;
      continue;
    }
    unsigned char octet = 0;
    const std::string_view digits = text.substr(0, 2);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), octet, 16);
    if (error != std::errc() || end != digits.data() + 2 || octet == 0) {
      return std::nullopt;
    }
    decoded += static_cast<char>(octet);
    text.remove_prefix(2);
  }
  return decoded;
}

}  // namespace

std::optional<UserInfo> read_user_info(std::string_view text) {
  const std::size_t colon = text.find(':');
  const auto user = decode_percent(text.substr(0, colon));
  if (!user) {
    return std::nullopt;
  }
  UserInfo read{.user = *user, .password = std::nullopt};
  if (colon != std::string_view::npos) {
    read.password = decode_percent(text.substr(colon + 1));
    if (!read.password) {
      return std::nullopt;
    }
  }
  return read;
}

std::string escape_for_json(std::string_view text) {
  std::string escaped;
  for (const char octet : text) {
    if (static_cast<unsigned char>(octet) < 0x20) {
      escaped += fmt::format("\\u{:04x}", static_cast<unsigned>(octet));
      continue;
    }
    if (octet == '"' || octet == '\\') {
      escaped += '\\';
    }
    escaped += octet;
  }
  return escaped;
}

}  // namespace meridian::nats
