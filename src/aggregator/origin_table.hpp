/// What is known of each origin.
#pragma once

#include "aggregator/sequence_state.hpp"
#include "frame/keyed_hash.hpp"

#include <meridian/aggregator.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace meridian::inline v1 {

/// Statistics per origin, bounded: origins beyond the first `max_tracked` share one entry, without
/// sequence tracking. Entries are never removed.
class OriginTable {
 public:
  explicit OriginTable(std::size_t max_tracked) : max_tracked_(max_tracked) {}

  /// Frames of a run arrived.
  void count(const Run& run, ReceiveTime received_at);

  /// The sequences of a run, when their turn has come.
  void judge(const Run& run, SequenceWidth width);

  void dropped(Origin origin, std::uint64_t frames);

  /// Takes up entries of another table, in place of none.
  void restore(const std::vector<OriginStats>& origins);

  /// Whether frames of an origin were restored, or are in the restored sum over those beyond
  /// `max_tracked`.
  [[nodiscard]] bool knows(Origin origin) const;

  void set_max_tracked(std::size_t max_tracked) noexcept { max_tracked_ = max_tracked; }

  [[nodiscard]] std::vector<OriginStats> all() const { return page(0, entries_.size() + 1); }

  [[nodiscard]] const OriginTotals& totals() const noexcept { return totals_; }

  /// Entries from index `from` on, at most `count`; fewer mean that there are no more.
  [[nodiscard]] std::vector<OriginStats> page(std::size_t from, std::size_t count) const;

  /// The sum over these entries.
  struct Sum {
    OriginStats stats;  ///< of no origin
    bool reached_end = false;
  };
  [[nodiscard]] Sum sum(std::size_t from, std::size_t count) const;

 private:
  struct Entry {
    Origin origin;
    std::uint64_t frames = 0;
    std::uint64_t bytes = 0;
    std::uint64_t dropped = 0;
    ReceiveTime last_seen_at{};
    SequenceState sequences{};
  };

  [[nodiscard]] static std::uint64_t key_of(Origin origin) noexcept {
    return (std::uint64_t{origin.satellite_id} << 16) | origin.channel_id;
  }
  [[nodiscard]] static OriginStats stats_of(const Entry& entry, std::optional<Origin> origin);
  Entry& entry_of(Origin origin);
  Entry& add(Origin origin);
  void add_to_totals(const SequenceState::Counts& before,
                     const SequenceState::Counts& now) noexcept;
  [[nodiscard]] bool is_tracked(const Entry& entry) const noexcept { return &entry != &others_; }

  std::size_t max_tracked_;
  boost::unordered_flat_map<std::uint64_t, std::uint32_t, KeyedHash>
      index_;  // packed origin → entries_
  std::vector<Entry> entries_;
  Entry others_;  // the sum over all origins beyond max_tracked_
  OriginTotals totals_;
  std::size_t restored_ = 0;  // so many entries, from the first
  bool others_restored_ = false;
};

/// Adds up what can be added up.
void add_to(OriginStats& sum, const OriginStats& stats) noexcept;

}  // namespace meridian::inline v1
