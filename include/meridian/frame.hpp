// clang-format off
/// A telemetry frame and its native wire layout.
///
/// The same layout is used on the uplink, in the aggregator's buffer and in a binary drain, so that
/// a frame is encoded only once. All integers are big-endian:
///
///     offset  octets  field
///     0       4       length        octets that follow this field: 16 + payload
///     4       4       satellite_id
///     8       2       channel_id    virtual channel or APID; 0 where there is only one
///     10      2       flags         bit 0: stored (played back, not real time); others are zero
///     12      8       sequence      counts up by one per (satellite, channel)
///     20      n       payload
///
/// Stable: see <meridian/version.hpp>.
// clang-format on
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

namespace meridian::inline v2 {

using SatelliteId = std::uint32_t;
using ChannelId = std::uint16_t;

/// Numbers the uplink sessions of one daemon, counting up from 1. 0 means "no session".
using SessionId = std::uint64_t;

/// When the octets of a frame were read, UTC, to the microsecond.
using ReceiveTime = std::chrono::sys_time<std::chrono::microseconds>;

/// Octets of the native header, the length field included.
inline constexpr std::size_t frame_header_bytes = 20;

/// What the length field counts in addition to the payload: the header without that field.
inline constexpr std::uint32_t frame_length_overhead = 16;

/// Set in `flags` for a frame that was recorded on board and played back.
inline constexpr std::uint16_t frame_flag_stored = 0x0001;

/// The width of a sequence counter, in bits.
enum class SequenceWidth : std::uint8_t {
  bits14 = 14,  ///< CCSDS packet sequence count
  bits64 = 64,  ///< native frames
};

/// The sequence after which a counter continues with 0.
[[nodiscard]] constexpr std::uint64_t largest_sequence(SequenceWidth width) noexcept {
  return width == SequenceWidth::bits14 ? 0x3FFF : ~std::uint64_t{0};
}

/// Where a frame comes from: a satellite and one of its channels. Sequences are counted for each
/// such pair.
struct Origin {
  SatelliteId satellite_id = 0;
  ChannelId channel_id = 0;

  friend bool operator==(const Origin&, const Origin&) = default;
  friend auto operator<=>(const Origin&, const Origin&) = default;
};

/// The fields of a native header, in host order.
struct FrameHeader {
  Origin origin;
  std::uint64_t sequence = 0;
  bool stored = false;

  friend bool operator==(const FrameHeader&, const FrameHeader&) = default;
};

/// One frame. Refers to octets that it does not own, and is valid as long as they are.
struct FrameView {
  FrameHeader header;
  std::span<const std::byte> octets;  ///< the whole frame, header included

  [[nodiscard]] std::span<const std::byte> payload() const {
    return octets.subspan(frame_header_bytes);
  }
};

/// Writes the header of a frame with `payload_bytes` octets of payload (at most 2^32 - 17).
void write_frame_header(const FrameHeader& header, std::size_t payload_bytes,
                        std::span<std::byte, frame_header_bytes> out) noexcept;

/// Reads the frame at the start of `octets`, which must begin with a whole, validated frame.
[[nodiscard]] FrameView read_frame(std::span<const std::byte> octets) noexcept;

}  // namespace meridian::inline v2
