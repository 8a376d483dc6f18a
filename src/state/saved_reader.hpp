/// From octets to an aggregator's state, whatever has become of them.
#pragma once

#include "state/bodies.hpp"

#include <meridian/aggregator.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <vector>

namespace meridian::state {

/// How many octets could be read, and why no more, unless they had an end there.
struct ReadResult {
  std::size_t bytes = 0;
  std::error_code error{};
};

/// Octets that can be read anywhere.
struct Source {
  std::uint64_t bytes = 0;
  /// Fills `out` with what stands at `offset`.
  std::function<ReadResult(std::uint64_t offset, std::span<std::byte> out)> read;
};

/// A part of a source.
struct Region {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;

  friend bool operator==(const Region&, const Region&) = default;
};

/// What could be read.
struct Restored {
  SavedState saved;
  std::uint64_t frames = 0;      ///< in `saved`
  std::vector<Region> damaged;   ///< what could not be read, in order
  bool is_whole = false;         ///< read to its end mark, nothing damaged, nothing missing
  std::error_code unreadable{};  ///< the first time that the source did not give what it has
  std::string why_unreadable{};  ///< where it is set aside for that, or for its format
  /// It is of a format that this reader does not know; nothing else is told of it then.
  std::optional<FormatVersion> newer{};
};

/// Reads a state in the format of state/mark.hpp: every frame that is intact, and whose block's
/// mark is, in its order, however much is damaged around it. Never throws on bad input; takes no
/// more memory than the source is large.
[[nodiscard]] Restored read_saved(const Source& source);

}  // namespace meridian::state
