#include "frame/wire.hpp"

#include <meridian/frame.hpp>

namespace meridian::inline v2 {

void write_frame_header(const FrameHeader& header, std::size_t payload_bytes,
                        std::span<std::byte, frame_header_bytes> out) noexcept {
  auto* at = reinterpret_cast<unsigned char*>(out.data());
  boost::endian::store_big_u32(at,
                               static_cast<std::uint32_t>(payload_bytes) + frame_length_overhead);
  boost::endian::store_big_u32(at + 4, header.origin.satellite_id);
  boost::endian::store_big_u16(at + 8, header.origin.channel_id);
  boost::endian::store_big_u16(at + 10, header.stored ? frame_flag_stored : std::uint16_t{0});
  boost::endian::store_big_u64(at + 12, header.sequence);
}

FrameView read_frame(std::span<const std::byte> octets) noexcept {
  const std::byte* at = octets.data();
  return {.header = {.origin = frame::wire::frame_origin(at),
                     .sequence = frame::wire::frame_sequence(at),
                     .stored = frame::wire::is_stored(at)},
          .octets = octets.first(frame::wire::frame_bytes(at))};
}

}  // namespace meridian::inline v2
