/// What a stream says that it has.
#pragma once

#include "sink/message.hpp"
#include "sink/refusal.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace meridian::sink {

/// A message in a stream, as far as it tells whether it is one of ours.
struct StoredMessage {
  std::string id;  ///< its Nats-Msg-Id; "" where it has none
  std::string payload;

  friend bool operator==(const StoredMessage&, const StoredMessage&) = default;
};

/// Whether it is that message: of the same id, and with the same octets. The id alone does not
/// prove it, since a copy of this daemon may have used it for other frames.
[[nodiscard]] bool is_same(const StoredMessage& stored, const Message& message);

/// Reads the answer to a request for a stored message. Nothing: there is none. Errors: what the
/// server says against it, and bad_acknowledgement where it is no such answer.
[[nodiscard]] Result<std::optional<StoredMessage>> read_stored(std::string_view answer);

}  // namespace meridian::sink
