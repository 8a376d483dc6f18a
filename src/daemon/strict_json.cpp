#include "daemon/strict_json.hpp"

#include "daemon/config.hpp"
#include "runtime/printable.hpp"

#include <fmt/format.h>

#include <string>

namespace meridian::daemon {

namespace {

constexpr runtime::JsonRules rules{.deepest = 16, .comments = true};

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
  return fmt::format("not valid JSON: {}", runtime::hide_passwords(fault.reason));
}

}  // namespace

nlohmann::json parse_strictly(std::string_view text) {
  if (const auto fault = runtime::scan_json(text, rules).fault) {
    throw ConfigError(text_of(*fault));
  }
  return nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/true, rules.comments);
}

}  // namespace meridian::daemon
