#include "frame/native_decoder.hpp"

#include "frame/adopt.hpp"
#include "frame/wire.hpp"

#include <cstring>

namespace meridian::inline v2::frame {

namespace {

/// Counts the whole frames after a valid one that differ from it only in their payload and in the
/// sequence, which counts up. Most frames are like that, and need no further check.
std::uint32_t count_alike(const std::byte* frame, std::size_t bytes, std::size_t left) {
  std::uint32_t count = 0;
  std::uint64_t sequence = wire::frame_sequence(frame);
  for (; left >= bytes; left -= bytes) {
    const std::byte* const next = frame + bytes;
    if (std::memcmp(next, frame, wire::flags_end) != 0 ||
        wire::frame_sequence(next) != ++sequence) {
      break;
    }
    ++count;
    frame = next;
  }
  return count;
}

}  // namespace

Decoded NativeDecoder::decode(const SlabRange& stream, const ReadStamp& stamp) {
  Decoded found;
  const std::uint32_t max_length = frame_length_overhead + max_payload_bytes_;
  const std::byte* const data = stream.octets.data();
  const std::size_t size = stream.octets.size();
  std::size_t at = 0;

  for (;;) {
    const std::size_t left = size - at;
    if (left < wire::length_field_bytes) {
      found.wanted = wire::length_field_bytes;
      break;
    }
    const std::byte* frame = data + at;
    // Checks each field as soon as it is there, so that the decoder never waits for a frame of a
    // bad length.
    const std::uint32_t length = wire::frame_length(frame);
    if (length < frame_length_overhead) [[unlikely]] {
      found.malformed = Malformed::length_too_small;
      break;
    }
    if (length > max_length) [[unlikely]] {
      found.malformed = Malformed::length_too_large;
      break;
    }
    if (left >= wire::flags_end && (wire::frame_flags(frame) & ~frame_flag_stored) != 0)
        [[unlikely]] {
      found.malformed = Malformed::reserved_flags;
      break;
    }
    const std::size_t bytes = wire::length_field_bytes + length;
    if (left < bytes) {
      found.wanted = bytes;
      break;
    }
    runs_.add(wire::frame_origin(frame), wire::frame_sequence(frame), bytes,
              wire::is_stored(frame));
    at += bytes;
    const std::uint32_t alike = count_alike(frame, bytes, size - at);
    runs_.add_alike(alike, bytes);
    at += alike * bytes;
  }

  found.consumed = at;
  if (runs_.frames() > 0) {
    found.batch = adopt_or_copy(stream, at, runs_.take(), stamp);
  }
  return found;
}

}  // namespace meridian::inline v2::frame
