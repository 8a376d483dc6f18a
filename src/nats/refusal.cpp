#include "nats/refusal.hpp"

namespace meridian::nats {

bool concerns_all(Refusal refusal) noexcept {
  switch (refusal) {
    case Refusal::authorization:
    case Refusal::stream_missing:
    case Refusal::subject_not_in_stream:
    case Refusal::not_enabled:
      return true;
    default:
      return false;
  }
}

bool leaves_open(Refusal refusal) noexcept {
  // A refusal rules out that the message is stored only if the stream, or its server, says
  // something about this very message. A connection that ends for lack of a permission or a
  // certificate says nothing about the messages that were sent before.
  switch (refusal) {
    case Refusal::stream_missing:
    case Refusal::subject_not_in_stream:
    case Refusal::message_too_large:
    case Refusal::stream_full:
    case Refusal::not_enabled:
      return false;
    default:
      return true;
  }
}

}  // namespace meridian::nats
