/// Advice on a stream that is not in its listener's framing.
#pragma once

#include <meridian/malformed.hpp>

#include <cstddef>
#include <span>
#include <string_view>

namespace meridian::uplink {

/// A sentence for the log, without its full stop. `there` has the octets from the first bad one on.
[[nodiscard]] std::string_view advice_on(Malformed reason,
                                         std::span<const std::byte> there) noexcept;

/// The same, for implausible packets.
[[nodiscard]] std::string_view advice_on_implausible_packets() noexcept;

}  // namespace meridian::uplink
