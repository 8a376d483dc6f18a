#include "sink/jetstream/type.hpp"

#include "sink/jetstream/keys.hpp"
#include "status/version.hpp"

#include <algorithm>
#include <string>

namespace meridian::sink::jetstream {

namespace {

bool has_password(const std::string& url) {
  return url.find('@') != std::string::npos;
}

Secrets secrets_of(const Options& options) {
  const Destination& to = options.jetstream;
  return {.password_in_configuration = std::ranges::any_of(to.servers, has_password),
          .files = {{to.credentials, "the credentials"}, {to.tls.key_file, "the private key"}}};
}

status::SinkInfo info_of(const Options& options) {
  return {.name = options.name,
          .type = std::string(type.name),
          .stream = options.jetstream.stream,
          .subject = options.jetstream.subject,
          .when_behind = std::string(name_of(options.when_behind))};
}

}  // namespace

constinit const Type type{.name = "nats_jetstream",
                          .part = "NATS (MERIDIAN_WITH_NATS=OFF)",
                          .is_built = status::with_nats,
                          .keys = destination_keys,
                          .secrets = secrets_of,
                          .info = info_of,
                          .make = make_sink};

}  // namespace meridian::sink::jetstream
