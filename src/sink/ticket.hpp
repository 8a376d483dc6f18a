/// How a sink identifies a message in flight.
#pragma once

#include <cstdint>

namespace meridian::sink {

/// Identifies one try to publish a message. An outbox never uses the same ticket twice.
using Ticket = std::uint64_t;

}  // namespace meridian::sink
