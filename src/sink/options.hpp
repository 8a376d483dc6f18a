/// What can be configured about a sink.
#pragma once

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

/// Certificates, as files in PEM. They are read again for every connection.
struct Tls {
  bool enabled = false;          ///< a server without TLS is refused
  std::string ca_file;           ///< CAs that vouch for the servers; "": those of the system
  std::string certificate_file;  ///< our own, with its chain; "": none
  std::string key_file;          ///< of our own certificate

  friend bool operator==(const Tls&, const Tls&) = default;
};

/// A sink into a JetStream stream.
struct Options {
  std::string name;
  /// "nats://host:port" or "tls://host:port", optionally with "user:password@" in front of the
  /// host. At least one. For a cluster list all servers, since those that the cluster advertises
  /// are not used.
  std::vector<std::string> servers;
  std::string stream;
  std::string subject = "meridian.{satellite_id}.{channel_id}";  ///< see SubjectTemplate
  std::string credentials{};  ///< a file with a user's JWT and seed (.creds); "": none
  Tls tls{};
  /// Octets of payload that may be in flight: sent and not acknowledged. At least batch_max_bytes.
  /// The client library holds a copy of them.
  std::size_t max_in_flight_bytes = 8'388'608;
  /// Maximum octets of payload in one message. By default servers accept 1 MiB including headers. A
  /// single frame that is larger is a message of its own.
  std::size_t batch_max_bytes = 524'288;
  WhenBehind when_behind = WhenBehind::hold;

  friend bool operator==(const Options&, const Options&) = default;
};

}  // namespace meridian::sink
