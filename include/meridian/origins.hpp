/// What is known of origins: pairs of satellite and channel.
///
/// Stable: see <meridian/version.hpp>.
#pragma once

#include <meridian/frame.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace meridian::inline v2 {

/// What the sequences of a counter have shown. Each sequence is judged by its distance from the
/// last one. A late frame comes before the last one; a jump is more than a quarter of the counter's
/// range ahead of it. Neither becomes the new last one.
///
/// The exception is a reset, in which the counter has started over: `reset_after` late frames or
/// jumps in a row, each with the sequence that follows the one before. None of them counts as late
/// or as a jump.
struct SequenceCounts {
  std::uint64_t gaps = 0;     ///< how often sequences were skipped
  std::uint64_t missing = 0;  ///< how many were skipped; saturates
  std::uint64_t duplicates = 0;
  std::uint64_t late = 0;
  std::uint64_t jumps = 0;
  std::uint64_t resets = 0;  ///< how often the counter started over
};

/// The latest frames of a counter, while a few more like them would make them a reset.
struct UnsettledFrames {
  std::uint64_t next = 0;   ///< the sequence that the next such frame would have
  std::uint64_t late = 0;   ///< how many of them count as late so far
  std::uint64_t jumps = 0;  ///< how many count as jumps so far

  [[nodiscard]] std::uint64_t frames() const noexcept { return late + jumps; }
};

/// The current state of a counter.
struct SequenceStats : SequenceCounts {
  std::optional<std::uint64_t> last_sequence{};
  UnsettledFrames unsettled{};  ///< included in `late` and `jumps`
};

/// The frames of an origin that were recorded on board and played back. Their sequences are tracked
/// apart from those of live frames.
struct StoredStats {
  std::uint64_t frames = 0;
  SequenceStats sequences{};
  ReceiveTime last_seen_at{};
};

/// What is known of one origin. It outlives sessions, so that a reconnect is not a gap. Each figure
/// includes live and stored frames, unless it says otherwise.
struct OriginStats {
  std::optional<Origin> origin;  ///< nothing: the sum over all origins beyond `max_tracked`
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
  /// The last sequence of the live frames, or of the stored ones if there are no live ones. Nothing
  /// for the sum.
  std::optional<std::uint64_t> last_sequence;
  std::uint64_t gaps = 0;     ///< how often sequences were skipped
  std::uint64_t missing = 0;  ///< how many were skipped
  std::uint64_t duplicates = 0;
  std::uint64_t late = 0;
  std::uint64_t dropped = 0;
  ReceiveTime last_seen_at{};
  std::uint64_t jumps = 0;
  std::uint64_t resets = 0;
  UnsettledFrames unsettled{};          ///< `next` is about the live frames
  std::optional<StoredStats> stored{};  ///< nothing if there are none
};

/// A part of the list of origins. An origin keeps its place in the list until it is forgotten; then
/// the place is free until a new origin takes it.
struct OriginPage {
  std::vector<OriginStats> rows;  ///< of origins at these places; in the last part, also the sum
  std::size_t next = 0;           ///< the place at which the next part begins
  bool at_end = false;            ///< there is no next part
};

}  // namespace meridian::inline v2
