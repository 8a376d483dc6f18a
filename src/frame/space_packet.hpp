/// The primary header of a CCSDS space packet (CCSDS 133.0-B): 6 octets, in three 16-bit fields.
///
///     version 3 | type 1 | secondary header 1 | APID 11 || sequence flags 2 | sequence count 14
///     || data length 16
///
/// The numbers are bits. The data length is the number of octets after the header, less 1.
#pragma once

#include "frame/wire.hpp"

#include <cstdint>
#include <span>

namespace meridian::inline v2::frame::space_packet {

inline constexpr std::size_t header_bytes = 6;
inline constexpr std::size_t max_packet_bytes = header_bytes + 65536;
inline constexpr ChannelId idle_apid = 0x7FF;
inline constexpr auto sequence_count_mask =
    static_cast<std::uint16_t>(largest_sequence(SequenceWidth::bits14));

/// Precedes each transfer frame that a receiver passes on (CCSDS 131.0-B). Read as a packet, the
/// marker would be a telecommand with APID 0x2CF.
inline constexpr std::uint32_t attached_sync_marker = 0x1ACFFC1D;

inline bool begins_with_sync_marker(std::span<const std::byte> stream) noexcept {
  return stream.size() >= sizeof attached_sync_marker &&
         wire::load_u32(stream.data()) == attached_sync_marker;
}

inline unsigned version(const std::byte* packet) noexcept {
  return std::to_integer<unsigned>(packet[0]) >> 5;
}
inline ChannelId apid(const std::byte* packet) noexcept {
  return wire::load_u16(packet) & ChannelId{0x7FF};
}
inline std::uint16_t sequence_count(const std::byte* packet) noexcept {
  return wire::load_u16(packet + 2) & sequence_count_mask;
}
inline std::size_t packet_bytes(const std::byte* packet) noexcept {
  return header_bytes + 1 + wire::load_u16(packet + 4);
}

}  // namespace meridian::inline v2::frame::space_packet
