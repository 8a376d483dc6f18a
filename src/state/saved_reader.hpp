/// Reads an aggregator's state from octets, however damaged they are.
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

/// How many octets could be read, and why no more. The end of the source is no error.
struct ReadResult {
  std::size_t bytes = 0;
  std::error_code error{};
};

/// Octets that can be read at any offset.
struct Source {
  std::uint64_t bytes = 0;
  /// Fills `out` with the octets from `offset` on.
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
  bool is_whole = false;         ///< has its end mark; nothing is damaged or missing
  std::error_code unreadable{};  ///< the first error of the source
  /// Why the state counts as unreadable: the error of the source, or a newer format. Set by
  /// StateDirectory; "" otherwise.
  std::string why_unreadable{};
  /// Set if the format is newer than this reader's; nothing else is set then.
  std::optional<FormatVersion> newer{};
};

/// Reads a state in the format of state/mark.hpp. Finds, in order, every frame that is intact and
/// whose block has an intact mark, however much around it is damaged. Never throws on bad input.
/// Keeps no more octets than the source has.
[[nodiscard]] Restored read_saved(const Source& source);

}  // namespace meridian::state
