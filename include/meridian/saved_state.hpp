/// What an aggregator leaves when it ends, so that another one can continue.
///
/// Stable: see <meridian/version.hpp>.
#pragma once

#include <meridian/accounting.hpp>
#include <meridian/drained.hpp>
#include <meridian/origins.hpp>
#include <meridian/positions.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace meridian::inline v2 {

/// What another aggregator can restore: its counts then continue those of the one that has ended.
struct SavedState {
  std::optional<Ledger> ledger;      ///< nothing if it is not known
  std::vector<OriginStats> origins;  ///< as `AggregatorHandle::origins` returns them
  /// The sum over origins that were forgotten, so that no total falls; nothing if none was.
  std::optional<OriginStats> forgotten{};
  /// Oldest first. A place of 0 means that the place is not known: the batch gets the first place
  /// after the batch before it.
  std::vector<BufferedBatch> frames;
  std::optional<SavedPositions> positions;  ///< nothing if they are not known

  void add(FrameBatch batch) { frames.push_back({.place = 0, .batch = std::move(batch)}); }
};

/// What an aggregator leaves when it ends.
struct FinalState {
  AggregatorStats stats;
  SavedState saved;
};

}  // namespace meridian::inline v2
