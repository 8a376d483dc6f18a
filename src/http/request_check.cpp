#include "http/request_check.hpp"

#include "http/resource.hpp"

#include <boost/beast/core/string_type.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <fmt/format.h>

#include <cstddef>
#include <string_view>

namespace meridian::http {

namespace {

using beast::http::field;

std::string_view view_of(beast::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

std::optional<Response> RequestCheck::refusal_of(Request& request, const Message& message,
                                                 const error_code& read_error) const {
  using beast::http::error;
  const auto refuse_body = [&request] {
    request.keep_alive = false;  // it is unknown where the next request would begin
    return refusal(Status::payload_too_large,
                   "this server accepts no request body: send the request without one");
  };
  if (read_error == error::header_limit || read_error == error::buffer_overflow) {
    return refusal(Status::request_header_fields_too_large,
                   fmt::format("a request may have at most {} bytes", max_request_bytes));
  }
  if (read_error == error::unexpected_body || read_error == error::body_limit) {
    return refuse_body();
  }
  if (read_error == error::end_of_stream || read_error == error::partial_message) {
    return std::nullopt;  // the client has gone
  }
  if (read_error.category() == make_error_code(error{}).category()) {
    return refusal(Status::bad_request, "this is not HTTP: " + read_error.message());
  }
  if (read_error) {
    return std::nullopt;
  }
  if (message.count(field::transfer_encoding) > 0) {
    return refuse_body();
  }
  const std::size_t hosts = message.count(field::host);
  if (hosts > 1 || (hosts == 0 && request.version == 11)) {
    request.keep_alive = false;
    return refusal(Status::bad_request, "an HTTP/1.1 request needs exactly one Host");
  }
  if (const HostVerdict host = judge_hosts(message); host != HostVerdict::ours) {
    request.keep_alive = false;
    return host == HostVerdict::malformed
               ? refusal(Status::bad_request, "this Host is neither a name nor an address")
               : refusal(Status::misdirected_request,
                         "this server does not answer to that Host; if the name is correct, add it "
                         "to http.names");
  }
  if (!request.head && message.method() != beast::http::verb::get) {
    Response response =
        refusal(Status::method_not_allowed, "this server is read-only: use GET or HEAD");
    response.fields.push_back({"Allow", "GET, HEAD"});
    return response;
  }
  return std::nullopt;
}

HostVerdict RequestCheck::judge_hosts(const Message& message) const {
  const auto host = message.find(field::host);
  HostVerdict verdict = HostVerdict::ours;  // HTTP/1.0 may have none; browsers always send one
  if (host != message.end()) {
    verdict = judge_host(view_of(host->value()), local_, names_);
  }
  const auto authority = authority_of(view_of(message.target()));
  if (authority && verdict == HostVerdict::ours) {
    verdict = judge_host(*authority, local_, names_);
  }
  return verdict;
}

}  // namespace meridian::http
