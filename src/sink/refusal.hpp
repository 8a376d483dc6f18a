/// Why something was not taken.
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
  unreachable,         ///< there is no connection, or it was lost before the answer came
  authorization,       ///< the server does not let us in, or not publish there
  tls,                 ///< one side wants TLS and the other has none, or a certificate is not good
  stream_missing,      ///< there is no stream of that name
  stream_unavailable,  ///< nobody answers for it now: its servers are electing a leader, or are off
  subject_not_in_stream,  ///< the stream has other subjects, or the subject is another stream's
  message_too_large,      ///< larger than the server or the stream takes
  stream_full,            ///< a limit of the stream or the account, or the disk
  no_acknowledgement,     ///< sent, and not answered in time: it may be stored or not
  bad_acknowledgement,    ///< answered, but not by the stream: it may be stored or not
  false_duplicate,        ///< said to be stored already, and is not, or cannot be
  not_enabled,            ///< no JetStream on this server, or not for this account
  other,                  ///< the text tells
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

/// Whether no other message fares better until somebody has put it right.
[[nodiscard]] bool concerns_all(Refusal refusal) noexcept;

/// Whether a message that was refused so may be stored all the same.
[[nodiscard]] bool leaves_open(Refusal refusal) noexcept;

/// A refusal and what there is to say about it, without passwords.
struct Rejection {
  Refusal refusal = Refusal::other;
  std::string text;

  friend bool operator==(const Rejection&, const Rejection&) = default;
};

template <typename T>
using Result = boost::system::result<T, Rejection>;

}  // namespace meridian::sink
