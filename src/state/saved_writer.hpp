/// From an aggregator's state to octets.
#pragma once

#include <meridian/aggregator.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <system_error>

namespace meridian::state {

/// Takes octets that come one after the other. An error ends the writing.
using WriteOctets = std::function<std::error_code(std::span<const std::byte>)>;

/// Writes a state in the format of state/mark.hpp; what has been written so far can be read
/// whatever happens. `nonce` is what tells its marks from those of others. Frames are not copied.
[[nodiscard]] std::error_code write_saved(const SavedState& saved, std::uint32_t nonce,
                                          const WriteOctets& write);

}  // namespace meridian::state
