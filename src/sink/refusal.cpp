#include "sink/refusal.hpp"

namespace meridian::sink {

std::string_view name_of(Refusal refusal) noexcept {
  switch (refusal) {
    case Refusal::unreachable:
      return "unreachable";
    case Refusal::authorization:
      return "authorization";
    case Refusal::tls:
      return "tls";
    case Refusal::stream_missing:
      return "stream_missing";
    case Refusal::stream_unavailable:
      return "stream_unavailable";
    case Refusal::subject_not_in_stream:
      return "subject_not_in_stream";
    case Refusal::message_too_large:
      return "message_too_large";
    case Refusal::stream_full:
      return "stream_full";
    case Refusal::no_acknowledgement:
      return "no_acknowledgement";
    case Refusal::bad_acknowledgement:
      return "bad_acknowledgement";
    case Refusal::false_duplicate:
      return "false_duplicate";
    case Refusal::not_enabled:
      return "not_enabled";
    case Refusal::other:
      return "other";
  }
  return "unknown";
}

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
  // Only what the stream or its server says about this very message settles it. A connection that
  // ends for lack of a permission or a certificate says nothing about the messages that were sent
  // before.
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

}  // namespace meridian::sink
