/// A request, as far as its answer depends on it.
#pragma once

#include <cstddef>

namespace meridian::http {

/// The most octets of a request, which has no body.
inline constexpr std::size_t max_request_bytes = 8192;

struct Request {
  bool head = false;       ///< only the head of the answer is asked for
  bool keep_alive = true;  ///< another request may follow on this connection
  unsigned version = 11;   ///< 10: HTTP/1.0, which has no chunks
};

}  // namespace meridian::http
