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
  /// By this the server knows a repetition: the same for each attempt to publish these frames.
  std::string id;
  std::uint32_t frames = 0;
  std::uint64_t first_sequence = 0;  ///< of the first frame
  std::uint64_t last_sequence = 0;   ///< of the last frame; smaller where the counter rolled over
  ReceiveTime first_received_at{};
  ReceiveTime last_received_at{};
  std::vector<FrameBatch> parts{};
  std::size_t bytes = 0;  ///< octets of all parts
};

/// A message out of whole batches: at least one, all of them frames of one origin, and together
/// less than 2 GiB, as the client library counts. Throws std::invalid_argument for anything else.
[[nodiscard]] Message make_message(std::string id, std::vector<FrameBatch> parts);

struct Header {
  std::string_view name;
  std::string value;

  friend bool operator==(const Header&, const Header&) = default;
};

/// Octets by which a message with its headers may be larger than its payload: its own ones and
/// those that the client library adds.
inline constexpr std::size_t max_header_bytes = 1024;

/// What stands in front of the payload, so that a reader can choose without looking into it.
[[nodiscard]] std::array<Header, 6> headers_of(const Message& message);

}  // namespace meridian::sink
