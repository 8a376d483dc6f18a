/// The headers of a message in a stream.
#pragma once

#include "sink/message.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace meridian::sink::jetstream {

struct Header {
  std::string_view name;
  std::string value;

  friend bool operator==(const Header&, const Header&) = default;
};

/// The most octets that headers add to the payload of a message: Meridian's own headers, and those
/// of the client library.
inline constexpr std::size_t max_header_bytes = 1024;

/// The headers of a message. By these, a reader can select messages without decoding payloads.
[[nodiscard]] std::array<Header, 6> headers_of(const Message& message);

}  // namespace meridian::sink::jetstream
