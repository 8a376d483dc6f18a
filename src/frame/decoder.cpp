#include "frame/native_decoder.hpp"
#include "frame/space_packet_decoder.hpp"

#include <meridian/decoder.hpp>

#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>

namespace meridian::inline v2 {

namespace {

/// 32 bits could not count the octets of a larger frame, length field included.
constexpr std::uint32_t most_payload_bytes =
    std::numeric_limits<std::uint32_t>::max() - static_cast<std::uint32_t>(frame_header_bytes);

}  // namespace

std::unique_ptr<Decoder> make_decoder(const DecoderOptions& options) {
  if (options.max_payload_bytes > most_payload_bytes) {
    throw std::invalid_argument("max_payload_bytes must be at most 4294967275");
  }
  switch (options.framing) {
    case Framing::length_prefixed:
      return std::make_unique<frame::NativeDecoder>(options.max_payload_bytes);
    case Framing::ccsds_space_packet:
      return std::make_unique<frame::SpacePacketDecoder>(options.satellite_id,
                                                         options.max_payload_bytes);
  }
  return nullptr;
}

}  // namespace meridian::inline v2
