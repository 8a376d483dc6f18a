/// What can be configured about a sink.
#pragma once

#include "sink/jetstream/destination.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace meridian::sink {

struct Type;

/// What becomes of frames while the sink does not keep up with the uplinks.
enum class WhenBehind : std::uint8_t {
  hold,         ///< they keep their room in the buffer until they are delivered
  skip_oldest,  ///< the buffer may drop the oldest, counted
};

struct Options {
  std::string name;
  const Type* type = nullptr;  ///< one of `types()`: decides which of the last members applies
  /// The most octets of payload in one message. By default, servers accept 1 MiB including headers.
  /// A single frame that is larger is a message of its own.
  std::size_t batch_max_bytes = 524'288;
  /// The most octets of payload that may be in flight: sent and not acknowledged. At least
  /// batch_max_bytes. The client library holds a copy of these octets.
  std::size_t max_in_flight_bytes = 8'388'608;
  WhenBehind when_behind = WhenBehind::hold;

  // For each type of sink, one member with what only this type needs.
  jetstream::Destination jetstream{};

  friend bool operator==(const Options&, const Options&) = default;
};

}  // namespace meridian::sink
