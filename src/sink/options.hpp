/// What can be configured about a sink.
#pragma once

#include "nats/connect_options.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace meridian::sink {

/// What becomes of frames while the sink does not keep up with the uplinks.
enum class WhenBehind : std::uint8_t {
  hold,         ///< they keep their room in the buffer until they are delivered
  skip_oldest,  ///< the buffer may drop the oldest, counted
};

/// A sink into a JetStream stream.
struct Options {
  std::string name;
  /// At least one: see nats::ConnectOptions.
  std::vector<std::string> servers;
  std::string stream;
  std::string subject = "meridian.{satellite_id}.{channel_id}";  ///< see SubjectTemplate
  std::string credentials{};  ///< a file with a user's JWT and seed (.creds); "": none
  nats::Tls tls{};
  /// Octets of payload that may be in flight: sent and not acknowledged. At least batch_max_bytes.
  /// The client library holds a copy of them.
  std::size_t max_in_flight_bytes = 8'388'608;
  /// Maximum octets of payload in one message. By default servers accept 1 MiB including headers. A
  /// single frame that is larger is a message of its own.
  std::size_t batch_max_bytes = 524'288;
  WhenBehind when_behind = WhenBehind::hold;

  friend bool operator==(const Options&, const Options&) = default;

  [[nodiscard]] nats::ConnectOptions connection() const {
    return {.client_name = "meridian " + name,
            .servers = servers,
            .credentials = credentials,
            .tls = tls};
  }
};

}  // namespace meridian::sink
