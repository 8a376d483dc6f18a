/// The messages that a sink publishes.
#pragma once

#include <meridian/frame_batch.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace meridian::sink {

/// Frames of one origin, back to back in the native layout, in the order in which readers must read
/// them. Refers to the octets of its parts. Can be moved, but not copied.
struct Message {
  Origin origin;
  /// The server recognises a repetition by the id, which is the same for each try to publish these
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

/// The origin of frames that all have the same origin.
[[nodiscard]] inline Origin origin_of(const FrameBatch& frames) {
  return (*frames.begin()).header.origin;
}

/// Makes a message of whole batches: at least one, all of the same origin. Together they must be
/// smaller than 2 GiB, the limit of the NATS library. Throws std::invalid_argument otherwise.
[[nodiscard]] Message make_message(std::string id, std::vector<FrameBatch> parts);

}  // namespace meridian::sink
