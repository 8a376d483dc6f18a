/// How to connect to the servers of a cluster.
#pragma once

#include <string>
#include <vector>

namespace meridian::nats {

/// Certificates, as files in PEM. Every new connection reads them again.
struct Tls {
  bool enabled = false;          ///< a server without TLS is refused
  std::string ca_file;           ///< CAs that vouch for the servers; "": those of the system
  std::string certificate_file;  ///< our own, with its chain; "": none
  std::string key_file;          ///< of our own certificate

  friend bool operator==(const Tls&, const Tls&) = default;
};

struct ConnectOptions {
  std::string client_name;  ///< shown by the servers' monitoring
  /// "nats://host:port" or "tls://host:port", optionally with "user:password@" in front of the
  /// host. At least one. For a cluster, list all servers: the client does not use those that the
  /// cluster advertises.
  std::vector<std::string> servers;
  std::string credentials{};  ///< a file with a user's JWT and seed (.creds); "": none
  Tls tls{};

  friend bool operator==(const ConnectOptions&, const ConnectOptions&) = default;
};

}  // namespace meridian::nats
