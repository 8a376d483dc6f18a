/// What is known of each origin.
#pragma once

#include "aggregator/sequence_state.hpp"
#include "frame/keyed_hash.hpp"

#include <meridian/aggregator.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <vector>

namespace meridian::inline v2::aggregator {

/// Statistics per origin, bounded: origins beyond the first `max_tracked` share one entry, without
/// sequence tracking. Live and stored frames have separate counters.
///
/// An entry has a place, which it keeps until it is forgotten. A new one takes the lowest free
/// place, so that a client that shows only the first places has a full list. What was counted at a
/// place stays part of the sums, so none of their figures falls.
class OriginTable {
 public:
  explicit OriginTable(std::size_t max_tracked, std::uint32_t reset_after = default_reset_after)
      : max_tracked_(max_tracked), reset_after_(reset_after) {
    totals_.max_tracked = max_tracked;
  }

  /// Frames of a run arrived.
  void count(const Run& run, ReceiveTime received_at);

  /// Judges the sequences of a run. To be called when it is their turn.
  void judge(const Run& run, SequenceWidth width);

  void dropped(Origin origin, std::uint64_t frames);

  /// Restores the entries of another table, and the sum over those that it had forgotten. Must be
  /// called before there are any entries.
  void restore(const std::vector<OriginStats>& origins,
               const std::optional<OriginStats>& forgotten = std::nullopt);

  /// Whether restored counts include an origin: it has a restored entry, or it may be part of a
  /// restored sum. There is one over origins beyond `max_tracked`, and one over forgotten origins.
  [[nodiscard]] bool knows(Origin origin) const;

  void set_tracking(std::size_t max_tracked, std::uint32_t reset_after) noexcept {
    max_tracked_ = max_tracked;
    reset_after_ = reset_after;
    totals_.max_tracked = max_tracked;
  }

  /// The result of a step. A step looks at some of the places only.
  struct Forgotten {
    std::uint64_t origins = 0;
    bool reached_end = false;
  };

  /// Forgets a satellite. Looks at `count` places at most, from `from` on. A single channel is
  /// found at once, wherever it is.
  Forgotten forget(SatelliteId satellite_id, std::optional<ChannelId> channel_id, std::size_t from,
                   std::size_t count);

  /// A period that has passed.
  struct Aging {
    std::chrono::milliseconds elapsed{};  ///< in which frames could arrive
    std::chrono::milliseconds limit{};    ///< origins not heard for this long are forgotten
    ReceiveTime now{};                    ///< tells how long ago restored entries were heard
  };
  Forgotten age(const Aging& aging, std::size_t from, std::size_t count);

  [[nodiscard]] std::vector<OriginStats> all() const { return page(0, entries_.size() + 1).rows; }

  /// The sum over all forgotten origins, including a restored sum. Nothing if none was forgotten.
  [[nodiscard]] const std::optional<OriginStats>& forgotten() const noexcept { return forgotten_; }

  [[nodiscard]] const OriginTotals& totals() const noexcept { return totals_; }

  /// The entries at the places from `from` on, at most `count` of these.
  [[nodiscard]] OriginPage page(std::size_t from, std::size_t count) const;

  /// A sum over the entries at some places, and over those that had these places before.
  struct Sum {
    OriginStats stats;  ///< of no origin
    bool reached_end = false;
  };
  [[nodiscard]] Sum sum(std::size_t from, std::size_t count) const;

 private:
  struct Stored {
    std::uint64_t frames = 0;
    ReceiveTime last_seen_at{};
    SequenceState sequences{};
  };
  struct Entry {
    Origin origin;
    std::uint64_t frames = 0;
    std::uint64_t bytes = 0;
    std::uint64_t dropped = 0;
    ReceiveTime last_seen_at{};
    SequenceState sequences{};              // of live frames
    std::unique_ptr<Stored> stored{};       // few have them
    std::unique_ptr<OriginStats> before{};  // the sum over those that had this place before
    bool taken = true;                      // an origin has this place
    bool heard = true;                      // since the last call of `age`
    std::optional<std::chrono::milliseconds> idle{};  // as of then; not known after a restore

    [[nodiscard]] Stored& stored_part();
    void restore(const OriginStats& stats);
  };

  [[nodiscard]] static std::uint64_t key_of(Origin origin) noexcept {
    return (std::uint64_t{origin.satellite_id} << 16) | origin.channel_id;
  }
  [[nodiscard]] static OriginStats stats_of(const Entry& entry, std::optional<Origin> origin);
  /// The entry in which an origin is counted. It gets one of its own if there is room.
  Entry& entry_of(Origin origin);
  /// The entry of an origin; null if it has none.
  [[nodiscard]] Entry* find(Origin origin);
  Entry& add(Origin origin);
  void vacate(Entry& entry);
  void add_to_totals(const SequenceCounts& before, const SequenceCounts& now) noexcept;

  std::size_t max_tracked_;
  std::uint32_t reset_after_;
  boost::unordered_flat_map<std::uint64_t, std::uint32_t, frame::KeyedHash>
      index_;                       // packed origin → entries_
  std::vector<Entry> entries_;      // by place
  std::set<std::uint32_t> free_{};  // places that no origin has
  Entry others_;                    // the sum over all origins beyond max_tracked_
  OriginTotals totals_;
  std::optional<OriginStats> forgotten_;
  std::optional<OriginStats> restored_forgotten_;  // at no place
  std::size_t restored_ = 0;                       // how many of the first entries were restored
  bool others_restored_ = false;
};

/// Adds the counts, and takes the later time. Leaves the origin and the last sequence alone.
void add_to(OriginStats& sum, const OriginStats& stats) noexcept;

}  // namespace meridian::inline v2::aggregator
