/// Answers that are written as a whole.
#pragma once

#include "http/page.hpp"
#include "status/probes.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::http {

/// The codes that this server answers with.
enum class Status : std::uint16_t {
  ok = 200,
  bad_request = 400,
  not_found = 404,
  method_not_allowed = 405,
  payload_too_large = 413,
  misdirected_request = 421,
  request_header_fields_too_large = 431,
  service_unavailable = 503,
};

/// The content type of answers in JSON.
inline constexpr std::string_view json_type = "application/json";

/// A field of the head. Both texts are part of the program.
struct HeadField {
  std::string_view name;
  std::string_view value;
};

/// An answer, without what depends on the connection that it is written to.
struct Response {
  Status status = Status::ok;
  std::string_view type{};  ///< of the content; part of the program
  std::string text{};
  std::vector<HeadField> fields{};  ///< besides those that every answer has
};

[[nodiscard]] Response json_response(std::string json);

/// What a scrape returns.
[[nodiscard]] Response metrics_response(std::string metrics);

/// A file of the page, which may load nothing from elsewhere.
[[nodiscard]] Response page_response(const PageFile& file);

/// 200 or 503, with the reason as JSON.
[[nodiscard]] Response verdict_response(const status::Verdict& verdict);

/// A refusal with a message for a person, which gets a line end.
[[nodiscard]] Response refusal(Status code, std::string message);

}  // namespace meridian::http
