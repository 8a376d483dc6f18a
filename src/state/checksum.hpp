/// The checksum of saved octets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace meridian::state {

/// CRC-32C (Castagnoli), as in RFC 3720. `before` is the checksum of the octets that precede these.
[[nodiscard]] std::uint32_t crc32c(std::span<const std::byte> octets,
                                   std::uint32_t before = 0) noexcept;

}  // namespace meridian::state
