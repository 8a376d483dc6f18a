/// A message of a stream, as it is read back.
#pragma once

#include <meridian/frame_batch.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::sim {

/// The header by which the server recognises a message that it already has.
inline constexpr const char* id_header = "Nats-Msg-Id";

/// The headers that describe the frames in a message.
inline constexpr const char* frames_header = "Meridian-Frames";
inline constexpr const char* first_sequence_header = "Meridian-First-Sequence";
inline constexpr const char* last_sequence_header = "Meridian-Last-Sequence";
inline constexpr const char* first_received_at_header = "Meridian-First-Received-At";
inline constexpr const char* last_received_at_header = "Meridian-Last-Received-At";

/// The payload and the headers of a message. Refers to octets and texts that it does not own, which
/// must outlive it.
struct StoredMessage {
  using Header = std::optional<std::string_view>;

  std::span<const std::byte> payload;
  Header id;
  Header frames;
  Header first_sequence;
  Header last_sequence;
  Header first_received_at;
  Header last_received_at;
};

/// What is in a message.
struct Inspected {
  std::uint32_t frames = 0;
  std::vector<Run> runs;  ///< of all frames; those of one origin in their order
  /// What is wrong with the message, or "". If the payload does not consist of whole frames,
  /// nothing in it can be trusted, so `frames` is 0 and `runs` is empty. Other faults leave both.
  std::string fault;
};

/// Decodes the payload in place, and compares the headers with it. A message must have: whole
/// native frames, at least one, all of one satellite and channel; an id that is not empty; numbers
/// that agree with the frames; and times in UTC to the microsecond, such as
/// 2026-11-24T10:00:00.000000Z.
[[nodiscard]] Inspected inspect(const StoredMessage& message);

}  // namespace meridian::sim
