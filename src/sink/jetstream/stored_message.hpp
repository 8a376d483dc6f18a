/// A message that a stream has, as the server reports it.
#pragma once

#include "nats/refusal.hpp"
#include "sink/message.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace meridian::sink::jetstream {

/// The parts of a message in a stream that show whether a sink of Meridian published it.
struct StoredMessage {
  std::string id;  ///< its Nats-Msg-Id; "" if it has none
  std::string payload;

  friend bool operator==(const StoredMessage&, const StoredMessage&) = default;
};

/// Whether `stored` is `message`: both have the same id and the same octets. The id alone proves
/// nothing, since a copy of this daemon may have used the same id for other frames.
[[nodiscard]] bool is_same(const StoredMessage& stored, const Message& message);

/// Parses the answer to a request for a stored message. No value: there is no such message. Errors:
/// the server's error, or bad_acknowledgement if the text is not such an answer.
[[nodiscard]] nats::Result<std::optional<StoredMessage>> read_stored(std::string_view answer);

}  // namespace meridian::sink::jetstream
