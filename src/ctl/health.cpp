#include "ctl/health.hpp"

#include "runtime/printable.hpp"

#include <fmt/format.h>

namespace meridian::ctl {

namespace {

using Json = nlohmann::ordered_json;

bool is_good(const Json& verdict) {
  return verdict.at("status") == "ok";
}

std::string line(const char* what, const Json& verdict) {
  return fmt::format("{}: {}, {}\n", what, is_good(verdict) ? "yes" : "no",
                     runtime::printable(verdict.at("message").get_ref<const std::string&>()));
}

}  // namespace

int health_status(const Json& result) {
  if (!is_good(result.at("alive"))) {
    return health_dead;
  }
  return is_good(result.at("ready")) ? health_ok : health_not_ready;
}

std::string report_health(const Json& result) {
  return line("alive", result.at("alive")) + line("ready", result.at("ready"));
}

}  // namespace meridian::ctl
