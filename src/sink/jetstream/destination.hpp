/// Which stream of NATS JetStream a sink publishes into, and how to reach it.
#pragma once

#include "nats/connect_options.hpp"

#include <string>
#include <vector>

namespace meridian::sink::jetstream {

struct Destination {
  /// At least one: see nats::ConnectOptions.
  std::vector<std::string> servers;
  std::string stream;
  std::string subject = "meridian.{satellite_id}.{channel_id}";  ///< see SubjectTemplate
  std::string credentials{};  ///< a file with a user's JWT and seed (.creds); "": none
  nats::Tls tls{};

  /// How the sink with the name `name` connects.
  [[nodiscard]] nats::ConnectOptions connection(const std::string& name) const {
    return {.client_name = "meridian " + name,
            .servers = servers,
            .credentials = credentials,
            .tls = tls};
  }

  friend bool operator==(const Destination&, const Destination&) = default;
};

}  // namespace meridian::sink::jetstream
