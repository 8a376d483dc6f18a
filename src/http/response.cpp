#include "http/response.hpp"

#include "status/json.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace meridian::http {

namespace {

constexpr std::string_view text_type = "text/plain; charset=utf-8";
constexpr std::string_view metrics_type = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace

Response json_response(std::string json) {
  return {.status = Status::ok, .type = json_type, .text = std::move(json)};
}

Response metrics_response(std::string metrics) {
  return {.status = Status::ok, .type = metrics_type, .text = std::move(metrics)};
}

Response page_response(const PageFile& file) {
  return {.status = Status::ok,
          .type = file.type,
          .text = std::string(file.text),
          .fields = {{"Content-Security-Policy",
                      "default-src 'self'; base-uri 'none'; form-action 'none'; "
                      "frame-ancestors 'none'"},
                     {"Referrer-Policy", "no-referrer"}}};
}

Response verdict_response(const status::Verdict& verdict) {
  return {.status = verdict.good ? Status::ok : Status::service_unavailable,
          .type = json_type,
          .text = status::dump(verdict.reason) + "\n"};
}

Response refusal(Status code, std::string message) {
  return {.status = code, .type = text_type, .text = std::move(message) + "\n"};
}

}  // namespace meridian::http
