/// What comes of publishing a message.
#pragma once

#include "nats/refusal.hpp"
#include "sink/ticket.hpp"

#include <cstdint>
#include <variant>

namespace meridian::sink::jetstream {

/// The stream has stored the message, on as many servers as it requires.
struct Acknowledged {
  std::uint64_t sequence = 0;  ///< of the message in the stream, counted from 1
  bool duplicate = false;  ///< the stream already had a message with this id, and keeps that one
};

struct Outcome {
  Ticket ticket = 0;
  std::variant<nats::Rejection, Acknowledged> result;
};

}  // namespace meridian::sink::jetstream
