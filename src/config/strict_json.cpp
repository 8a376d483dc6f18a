#include "config/strict_json.hpp"

#include "config/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace meridian::config {

namespace {

constexpr runtime::JsonRules rules{.deepest = 16, .comments = true};

/// Cuts a reason before the first URL in it. The parser's reason shows what the parser read last,
/// up to the fault. That may be part of a URL with a password, but without the @ by which
/// `hide_password` would find it.
std::string without_urls(const std::string& reason) {
  constexpr std::array<std::string_view, 2> behind_scheme{":/", ":\\"};  // the slash may be escaped
  std::size_t shown = reason.size();
  for (const std::string_view mark : behind_scheme) {
    shown = std::min(shown, reason.find(mark));
  }
  return shown == reason.size() ? reason : reason.substr(0, shown) + "://…";
}

std::string text_of(const runtime::JsonFault& fault) {
  using Kind = runtime::JsonFault::Kind;
  const std::string path = fault.path.empty() ? "the configuration" : fault.path;
  switch (fault.kind) {
    case Kind::doubled_key:
      return fmt::format("{}: is given twice in one object; keep one", path);
    case Kind::nested_too_deeply:
      return fmt::format("{}: nested too deeply", path);
    case Kind::number_too_large:
      return fmt::format("{}: the number is too large", path);
    case Kind::not_json:
      break;
  }
  return fmt::format("not valid JSON: {}", without_urls(fault.reason));
}

}  // namespace

nlohmann::json parse_strictly(std::string_view text) {
  if (const auto fault = runtime::scan_json(text, rules).fault) {
    throw Error(text_of(*fault));
  }
  return nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/true, rules.comments);
}

}  // namespace meridian::config
