/// What is published.
#pragma once

#include <meridian/frame_batch.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::sink {

/// Frames of one origin in the order in which they are to be read, back to back in the native
/// layout. Refers to the octets of its parts; moved, never copied.
struct Message {
  Origin origin;
  /// The server recognises a repetition by it: it is the same for each attempt to publish these
  /// frames.
  std::string id;
  std::uint32_t frames = 0;
  std::uint64_t first_sequence = 0;  ///< of the first frame
  std::uint64_t last_sequence = 0;   ///< of the last frame; smaller if the counter rolled over
  ReceiveTime first_received_at{};
  ReceiveTime last_received_at{};
  std::vector<FrameBatch> parts{};
  std::size_t bytes = 0;  ///< octets of all parts
};

/// Makes a message of whole batches: at least one, all of the same origin, and together less than 2
/// GiB, which is the client library's limit. Throws std::invalid_argument for anything else.
[[nodiscard]] Message make_message(std::string id, std::vector<FrameBatch> parts);

struct Header {
  std::string_view name;
  std::string value;

  friend bool operator==(const Header&, const Header&) = default;
};

/// Octets that headers may add to the payload of a message: our own headers and those that the
/// client library adds.
inline constexpr std::size_t max_header_bytes = 1024;

/// The headers of a message, by which a reader can select messages without decoding the payload.
[[nodiscard]] std::array<Header, 6> headers_of(const Message& message);

}  // namespace meridian::sink
