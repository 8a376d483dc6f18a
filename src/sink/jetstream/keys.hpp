/// What can be configured about the stream that a sink publishes into.
#pragma once

#include "config/key.hpp"
#include "nats/connect_options.hpp"
#include "sink/options.hpp"

namespace meridian::sink::jetstream {

/// The keys of sinks of this type alone. Their values are in `Options::jetstream`.
[[nodiscard]] config::Keys<Options> destination_keys();

/// The keys of the object `tls`.
[[nodiscard]] config::Keys<nats::Tls> tls_keys();

}  // namespace meridian::sink::jetstream
