/// Writes an aggregator's state as octets.
#pragma once

#include <meridian/aggregator.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <system_error>

namespace meridian::state {

/// Takes the next octets. An error ends the writing.
using WriteOctets = std::function<std::error_code(std::span<const std::byte>)>;

/// Writes a state in the format of state/mark.hpp. Whatever happens, `read_saved` can read what has
/// been written so far. `nonce` tells the marks of this file from those of others. Does not copy
/// frames.
[[nodiscard]] std::error_code write_saved(const SavedState& saved, std::uint32_t nonce,
                                          const WriteOctets& write);

}  // namespace meridian::state
