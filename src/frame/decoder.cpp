#include "frame/native_decoder.hpp"
#include "frame/space_packet_decoder.hpp"

#include <meridian/decoder.hpp>

#include <memory>

namespace meridian::inline v1 {

std::unique_ptr<Decoder> make_decoder(const DecoderOptions& options) {
  switch (options.framing) {
    case Framing::length_prefixed:
      return std::make_unique<NativeDecoder>(options.max_payload_bytes);
    case Framing::ccsds_space_packet:
      return std::make_unique<SpacePacketDecoder>(options.satellite_id, options.max_payload_bytes);
  }
  return nullptr;
}

}  // namespace meridian::inline v1
