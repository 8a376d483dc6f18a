#include "decoder_check.hpp"
#include "frame/native_decoder.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  meridian::test::check_decoder<meridian::frame::NativeDecoder>(
      std::as_bytes(std::span(data, size)), std::uint32_t{256});
  return 0;
}
