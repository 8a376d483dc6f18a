/// Why something was not accepted.
#pragma once

#include <boost/system/result.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace meridian::sink {

/// Counted per kind. In all of these cases the frames stay where they are, and nothing is known to
/// be lost.
enum class Refusal : std::uint8_t {
  unreachable,            ///< there is no connection, or it was lost before the answer came
  authorization,          ///< the server does not let us in, or does not let us publish there
  tls,                    ///< one side wants TLS and the other does not, or a certificate is bad
  stream_missing,         ///< there is no stream of that name
  stream_unavailable,     ///< it does not answer now: its servers elect a leader, or are down
  subject_not_in_stream,  ///< the stream has other subjects, or the subject is another stream's
  message_too_large,      ///< larger than the server or the stream accepts
  stream_full,            ///< a limit of the stream or the account, or the disk
  no_acknowledgement,     ///< sent, but not answered in time: it may or may not be stored
  bad_acknowledgement,    ///< answered, but not by the stream: it may or may not be stored
  false_duplicate,        ///< said to be stored already, but it is not, or cannot be
  not_enabled,            ///< no JetStream on this server, or not for this account
  other,                  ///< see the text
};
inline constexpr std::array all_refusals{Refusal::unreachable,
                                         Refusal::authorization,
                                         Refusal::tls,
                                         Refusal::stream_missing,
                                         Refusal::stream_unavailable,
                                         Refusal::subject_not_in_stream,
                                         Refusal::message_too_large,
                                         Refusal::stream_full,
                                         Refusal::no_acknowledgement,
                                         Refusal::bad_acknowledgement,
                                         Refusal::false_duplicate,
                                         Refusal::not_enabled,
                                         Refusal::other};

/// The name under which a kind is counted and logged, such as "stream_full".
[[nodiscard]] std::string_view name_of(Refusal refusal) noexcept;

/// Whether every other message would be refused, too, until an operator has fixed the cause.
[[nodiscard]] bool concerns_all(Refusal refusal) noexcept;

/// Whether a message that was refused for this reason may have been stored nevertheless.
[[nodiscard]] bool leaves_open(Refusal refusal) noexcept;

/// A refusal and its explanation, without passwords.
struct Rejection {
  Refusal refusal = Refusal::other;
  std::string text;

  friend bool operator==(const Rejection&, const Rejection&) = default;
};

template <typename T>
using Result = boost::system::result<T, Rejection>;

}  // namespace meridian::sink
