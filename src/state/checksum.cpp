#include "state/checksum.hpp"

#include <algorithm>
#include <limits>

#include <isa-l/crc.h>

namespace meridian::state {

std::uint32_t crc32c(std::span<const std::byte> octets, std::uint32_t before) noexcept {
  std::uint32_t crc = ~before;
  while (!octets.empty()) {
    constexpr std::size_t at_once = std::numeric_limits<int>::max();
    const std::span<const std::byte> piece = octets.first(std::min(octets.size(), at_once));
    // crc32_iscsi only reads, but its parameter is not const.
    auto* const begin = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(piece.data()));
    crc = crc32_iscsi(begin, static_cast<int>(piece.size()), crc);
    octets = octets.subspan(piece.size());
  }
  return ~crc;
}

}  // namespace meridian::state
