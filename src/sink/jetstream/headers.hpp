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

/// Octets that headers may add to the payload of a message: our own headers and those that the
/// client library adds.
inline constexpr std::size_t max_header_bytes = 1024;

/// The headers of a message, by which a reader can select messages without decoding the payload.
[[nodiscard]] std::array<Header, 6> headers_of(const Message& message);

}  // namespace meridian::sink::jetstream
