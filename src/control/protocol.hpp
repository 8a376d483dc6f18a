/// The control protocol: converts text to structs and back, without sockets.
///
/// A request is one line: a JSON-RPC 2.0 object, or the plain name of a method. A plain name is
/// answered with the result alone.
#pragma once

#include "control/request.hpp"
#include "status/json.hpp"

#include <meridian/errors.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

namespace meridian::control {

/// The answer to a request that failed with `ec`, because the aggregator is gone.
[[nodiscard]] Error shut_down_error(const Request& request, const error_code& ec);

/// How deep objects and lists of a request may be nested.
inline constexpr std::size_t deepest_request = 32;

/// Reads one line without its line end. Never throws on bad input, and never recurses deeper for a
/// longer input.
[[nodiscard]] std::variant<Request, Error> parse_request(std::string_view line);

/// The text before and after a result. Between the two, a long result is written in pieces.
struct Envelope {
  std::string before;
  std::string after;
};
[[nodiscard]] Envelope envelope_for(const Request& request);

/// The whole answer, including the line end.
[[nodiscard]] std::string encode_result(const Request& request, const status::Json& result);
[[nodiscard]] std::string encode_error(const Error& error);

}  // namespace meridian::control
