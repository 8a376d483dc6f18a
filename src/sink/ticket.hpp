/// How a sink names a message that is on its way.
#pragma once

#include <cstdint>

namespace meridian::sink {

/// Identifies one attempt to publish a message. An outbox never uses one twice.
using Ticket = std::uint64_t;

}  // namespace meridian::sink
