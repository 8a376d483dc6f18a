#include "decoder_check.hpp"
#include "frame/space_packet_decoder.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  meridian::test::check_decoder<meridian::frame::SpacePacketDecoder>(
      std::as_bytes(std::span(data, size)), meridian::SatelliteId{1}, std::size_t{512});
  return 0;
}
