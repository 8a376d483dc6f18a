/// Why something was not accepted.
#pragma once

#include <meridian/named.hpp>

#include <boost/system/result.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace meridian::nats {

/// Why a server, or a stream, did not accept something. Counted per kind. In all of these cases the
/// frames stay where they are, and nothing is known to be lost.
enum class Refusal : std::uint8_t {
  unreachable,
  authorization,
  tls,
  stream_missing,
  stream_unavailable,
  subject_not_in_stream,
  message_too_large,
  stream_full,
  no_acknowledgement,
  bad_acknowledgement,
  false_duplicate,
  not_enabled,
  other,
};
inline constexpr std::array<Named<Refusal>, 13> refusals{{
    {Refusal::unreachable, "unreachable",
     "The sink has no connection to a server, or lost it before an answer came."},
    {Refusal::authorization, "authorization",
     "The server does not let the sink in, or does not let it publish to its subject."},
    {Refusal::tls, "tls",
     "One side wants TLS and the other does not, or a certificate is not valid."},
    {Refusal::stream_missing, "stream_missing", "The stream does not exist."},
    {Refusal::stream_unavailable, "stream_unavailable",
     "No server answers for the stream now: its servers are electing a leader, or are down."},
    {Refusal::subject_not_in_stream, "subject_not_in_stream",
     "The stream does not cover the sink's subject, or the subject belongs to another stream."},
    {Refusal::message_too_large, "message_too_large",
     "The message is larger than the server or the stream accepts. The sink divides it if it has "
     "several frames."},
    {Refusal::stream_full, "stream_full",
     "A limit of the stream or the account is reached, or the disk is full."},
    {Refusal::no_acknowledgement, "no_acknowledgement",
     "No answer came within 5 seconds. The message may or may not be stored."},
    {Refusal::bad_acknowledgement, "bad_acknowledgement",
     "The answer is not an acknowledgement of the stream: another client answers on the subject. "
     "The message may or may not be stored."},
    {Refusal::false_duplicate, "false_duplicate",
     "The server says that the stream already has the message, but it is not there. The sink looks "
     "once more, and then publishes it under a new id."},
    {Refusal::not_enabled, "not_enabled",
     "JetStream is not enabled on the server, or not for the account."},
    {Refusal::other, "other", "None of the above; the text says what."},
}};
inline constexpr auto all_refusals = values_of(refusals);
[[nodiscard]] constexpr std::string_view name_of(Refusal refusal) noexcept {
  return name_in(refusals, refusal);
}

/// Whether the server would refuse every other message, too, until an operator has fixed the cause.
[[nodiscard]] bool concerns_all(Refusal refusal) noexcept;

/// Whether the stream may have stored a message although it was refused for this reason.
[[nodiscard]] bool leaves_open(Refusal refusal) noexcept;

/// A refusal and its explanation, without passwords.
struct Rejection {
  Refusal refusal = Refusal::other;
  std::string text;

  friend bool operator==(const Rejection&, const Rejection&) = default;
};

template <typename T>
using Result = boost::system::result<T, Rejection>;

}  // namespace meridian::nats
