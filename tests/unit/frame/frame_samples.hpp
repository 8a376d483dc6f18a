/// Frames, packets and batches for the tests of all rooms.
#pragma once

#include <meridian/decoder.hpp>
#include <meridian/frame_batch.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace meridian::test {

using Octets = std::vector<std::byte>;

inline void append(Octets& out, std::span<const std::byte> more) {
  out.insert(out.end(), more.begin(), more.end());
}

/// A payload that differs from octet to octet and from frame to frame.
inline Octets sample_payload(std::size_t bytes, std::uint64_t seed = 0) {
  Octets payload(bytes);
  for (std::size_t i = 0; i < bytes; ++i) {
    payload[i] = static_cast<std::byte>((seed * 31 + i * 7 + 1) & 0xFF);
  }
  return payload;
}

inline FrameHeader header(SatelliteId satellite, ChannelId channel, std::uint64_t sequence,
                          bool stored = false) {
  return {.origin = {.satellite_id = satellite, .channel_id = channel},
          .sequence = sequence,
          .stored = stored};
}

/// One frame in the native layout.
inline Octets native_frame(const FrameHeader& fields, std::span<const std::byte> payload = {}) {
  Octets frame(frame_header_bytes);
  write_frame_header(fields, payload.size(), std::span(frame).first<frame_header_bytes>());
  append(frame, payload);
  return frame;
}

/// One CCSDS space packet with `data_bytes` (1 to 65,536) octets behind its header.
inline Octets space_packet(ChannelId apid, std::uint16_t sequence_count, std::size_t data_bytes,
                           std::uint8_t version = 0) {
  const std::size_t length = data_bytes - 1;
  Octets packet{static_cast<std::byte>(version << 5 | apid >> 8),
                static_cast<std::byte>(apid & 0xFF),
                static_cast<std::byte>(0xC0 | sequence_count >> 8),  // flags: not segmented
                static_cast<std::byte>(sequence_count & 0xFF),
                static_cast<std::byte>(length >> 8),
                static_cast<std::byte>(length & 0xFF)};
  append(packet, sample_payload(data_bytes, sequence_count));
  return packet;
}

/// `octets` in a slab of their own.
inline SlabRange in_slab(std::span<const std::byte> octets) {
  auto slab = std::make_shared_for_overwrite<std::byte[]>(octets.size());
  std::ranges::copy(octets, slab.get());
  const std::span<const std::byte> copied(slab.get(), octets.size());
  return {.slab = std::move(slab), .slab_bytes = octets.size(), .octets = copied};
}

/// A batch of the frames with these headers, each with `payload_bytes` octets of payload.
inline FrameBatch batch_of(std::span<const FrameHeader> headers, std::size_t payload_bytes = 0,
                           const ReadStamp& stamp = {}) {
  FrameBatchBuilder builder;
  for (const FrameHeader& fields : headers) {
    builder.append(fields, sample_payload(payload_bytes, fields.sequence));
  }
  return builder.finish(stamp).value();
}

/// A batch of `count` frames of one origin, in order from sequence `first`.
inline FrameBatch batch_of_run(Origin origin, std::uint64_t first, std::uint32_t count,
                               std::size_t payload_bytes = 0, const ReadStamp& stamp = {}) {
  FrameBatchBuilder builder;
  for (std::uint32_t i = 0; i < count; ++i) {
    builder.append({.origin = origin, .sequence = first + i},
                   sample_payload(payload_bytes, first + i));
  }
  return builder.finish(stamp).value();
}

}  // namespace meridian::test
