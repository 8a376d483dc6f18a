/// What is published.
#pragma once

#include <meridian/frame_batch.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
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

/// The origin of frames that all have the same.
[[nodiscard]] inline Origin origin_of(const FrameBatch& frames) {
  return (*frames.begin()).header.origin;
}

/// Makes a message of whole batches: at least one, all of the same origin, and together less than 2
/// GiB, the limit of the NATS library. Throws std::invalid_argument for anything else.
[[nodiscard]] Message make_message(std::string id, std::vector<FrameBatch> parts);

}  // namespace meridian::sink
