#include "frame/space_packet_decoder.hpp"

#include "frame/space_packet.hpp"

#include <algorithm>

namespace meridian::inline v2::frame {

namespace {

/// Writes the packets of `stream` as native frames, without the idle packets.
std::byte* write_frames(std::span<const std::byte> stream, SatelliteId satellite_id,
                        std::byte* out) {
  for (std::size_t at = 0; at < stream.size();) {
    const std::byte* packet = stream.data() + at;
    const std::size_t bytes = space_packet::packet_bytes(packet);
    at += bytes;
    const ChannelId apid = space_packet::apid(packet);
    if (apid == space_packet::idle_apid) {
      continue;
    }
    write_frame_header({.origin = {.satellite_id = satellite_id, .channel_id = apid},
                        .sequence = space_packet::sequence_count(packet)},
                       bytes, std::span<std::byte, frame_header_bytes>(out, frame_header_bytes));
    out = std::copy_n(packet, bytes, out + frame_header_bytes);
  }
  return out;
}

}  // namespace

Decoded SpacePacketDecoder::decode(const SlabRange& stream, const ReadStamp& stamp) {
  Decoded found;
  std::size_t framed_bytes = 0;
  const std::byte* const data = stream.octets.data();
  const std::size_t size = stream.octets.size();
  std::size_t at = 0;

  if (at_start_ && space_packet::begins_with_sync_marker(stream.octets)) [[unlikely]] {
    found.malformed = Malformed::sync_marker;
    return found;
  }
  for (;;) {
    const std::size_t left = size - at;
    const std::byte* packet = data + at;
    if (left > 0 && space_packet::version(packet) != 0) [[unlikely]] {
      found.malformed = Malformed::packet_version;
      break;
    }
    if (left < space_packet::header_bytes) {
      found.wanted = space_packet::header_bytes;
      break;
    }
    const std::size_t bytes = space_packet::packet_bytes(packet);
    if (bytes > max_packet_bytes_) [[unlikely]] {
      found.malformed = Malformed::packet_too_large;
      break;
    }
    if (left < bytes) {
      found.wanted = bytes;
      break;
    }
    at += bytes;
    const ChannelId apid = space_packet::apid(packet);
    if (apid == space_packet::idle_apid) {
      ++found.idle_packets;
      continue;
    }
    const std::size_t frame_bytes = frame_header_bytes + bytes;
    runs_.add({.satellite_id = satellite_id_, .channel_id = apid},
              space_packet::sequence_count(packet), frame_bytes);
    framed_bytes += frame_bytes;
  }

  found.consumed = at;
  at_start_ &= at == 0;
  if (runs_.frames() > 0) {
    // A native header goes in front of each packet, so this framing copies once, into an exact
    // allocation.
    auto exact = std::make_shared_for_overwrite<std::byte[]>(framed_bytes);
    write_frames(stream.octets.first(at), satellite_id_, exact.get());
    const std::span<const std::byte> octets(exact.get(), framed_bytes);
    SlabRange range{.slab = std::move(exact), .slab_bytes = framed_bytes, .octets = octets};
    found.batch.emplace(std::move(range), runs_.take(), stamp);
  }
  return found;
}

}  // namespace meridian::inline v2::frame
