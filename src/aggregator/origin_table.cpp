#include "aggregator/origin_table.hpp"

#include <algorithm>
#include <limits>
#include <memory>

namespace meridian::inline v1 {

namespace {

constexpr std::uint64_t largest_count = std::numeric_limits<std::uint64_t>::max();

/// To the figures of an origin, of its stored frames, or of a sum.
template <typename Stats>
void add_counts(Stats& sum, const SequenceCounts& more, const UnsettledFrames& unsettled) noexcept {
  sum.gaps += more.gaps;
  sum.missing += std::min(largest_count - sum.missing, more.missing);
  sum.duplicates += more.duplicates;
  sum.late += more.late;
  sum.jumps += more.jumps;
  sum.resets += more.resets;
  sum.unsettled.late += unsettled.late;
  sum.unsettled.jumps += unsettled.jumps;
}

SequenceCounts counts_of(const OriginStats& stats) noexcept {
  return {.gaps = stats.gaps,
          .missing = stats.missing,
          .duplicates = stats.duplicates,
          .late = stats.late,
          .jumps = stats.jumps,
          .resets = stats.resets};
}

/// The counter of live frames: what is not that of stored ones.
SequenceStats live_part(const OriginStats& stats) noexcept {
  const StoredStats none;
  const StoredStats& stored = stats.stored ? *stats.stored : none;
  const SequenceStats& others = stored.sequences;
  const auto rest = [](std::uint64_t all, std::uint64_t part) { return all - std::min(all, part); };
  SequenceStats live;
  live.gaps = rest(stats.gaps, others.gaps);
  live.missing = rest(stats.missing, others.missing);
  live.duplicates = rest(stats.duplicates, others.duplicates);
  live.late = rest(stats.late, others.late);
  live.jumps = rest(stats.jumps, others.jumps);
  live.resets = rest(stats.resets, others.resets);
  live.unsettled = {.next = stats.unsettled.next,
                    .late = rest(stats.unsettled.late, others.unsettled.late),
                    .jumps = rest(stats.unsettled.jumps, others.unsettled.jumps)};
  if (!stats.stored || stats.frames > stored.frames) {
    live.last_sequence = stats.last_sequence;
  }
  return live;
}

}  // namespace

OriginTable::Entry& OriginTable::entry_of(Origin origin) {
  if (const auto found = index_.find(key_of(origin)); found != index_.end()) {
    return entries_[found->second];
  }
  return entries_.size() < max_tracked_ ? add(origin) : others_;
}

OriginTable::Entry& OriginTable::add(Origin origin) {
  index_.emplace(key_of(origin), static_cast<std::uint32_t>(entries_.size()));
  totals_.origins = entries_.size() + 1;
  return entries_.emplace_back(Entry{.origin = origin});
}

void OriginTable::add_to_totals(const SequenceCounts& before, const SequenceCounts& now) noexcept {
  totals_.gaps += now.gaps - before.gaps;
  totals_.missing += std::min(largest_count - totals_.missing, now.missing - before.missing);
  totals_.duplicates += now.duplicates - before.duplicates;
  totals_.late += now.late - before.late;
  totals_.jumps += now.jumps - before.jumps;
  totals_.resets += now.resets - before.resets;
}

OriginTable::Stored& OriginTable::Entry::stored_part() {
  if (!stored) {
    stored = std::make_unique<Stored>();
  }
  return *stored;
}

void OriginTable::Entry::restore(const OriginStats& stats) {
  frames = stats.frames;
  bytes = stats.bytes;
  dropped = stats.dropped;
  last_seen_at = stats.last_seen_at;
  sequences = SequenceState(live_part(stats));
  if (stats.stored) {
    stored = std::make_unique<Stored>(Stored{.frames = stats.stored->frames,
                                             .last_seen_at = stats.stored->last_seen_at,
                                             .sequences = SequenceState(stats.stored->sequences)});
  }
}

void OriginTable::restore(const std::vector<OriginStats>& origins) {
  for (const OriginStats& stats : origins) {
    if (stats.origin && index_.contains(key_of(*stats.origin))) {
      continue;
    }
    Entry& entry = stats.origin ? add(*stats.origin) : others_;
    entry.restore(stats);
    totals_.bytes += entry.bytes;
    add_to_totals({}, entry.sequences.settled());
    if (entry.stored) {
      add_to_totals({}, entry.stored->sequences.settled());
    }
  }
  restored_ = entries_.size();
  others_restored_ = others_.frames > 0;
}

bool OriginTable::knows(Origin origin) const {
  const auto found = index_.find(key_of(origin));
  return found != index_.end() ? found->second < restored_ : others_restored_;
}

void OriginTable::count(const Run& run, ReceiveTime received_at) {
  Entry& entry = entry_of(run.origin);
  entry.frames += run.frames;
  entry.bytes += run.bytes;
  totals_.bytes += run.bytes;
  entry.last_seen_at = std::max(entry.last_seen_at, received_at);
  if (run.stored) {
    Stored& stored = entry.stored_part();
    stored.frames += run.frames;
    stored.last_seen_at = std::max(stored.last_seen_at, received_at);
  }
}

void OriginTable::judge(const Run& run, SequenceWidth width) {
  Entry& entry = entry_of(run.origin);
  if (!is_tracked(entry)) {
    return;
  }
  SequenceState& sequences = run.stored ? entry.stored_part().sequences : entry.sequences;
  const SequenceCounts before = sequences.settled();
  if (sequences.observe(run, width, reset_after_)) {
    add_to_totals(before, sequences.settled());
  }
}

void OriginTable::dropped(Origin origin, std::uint64_t frames) {
  entry_of(origin).dropped += frames;
}

OriginStats OriginTable::stats_of(const Entry& entry, std::optional<Origin> origin) {
  OriginStats stats{.origin = origin,
                    .frames = entry.frames,
                    .bytes = entry.bytes,
                    .last_sequence = std::nullopt,
                    .dropped = entry.dropped,
                    .last_seen_at = entry.last_seen_at};
  const SequenceStats live = entry.sequences.stats();
  add_counts(stats, live, live.unsettled);
  stats.last_sequence = live.last_sequence;
  stats.unsettled.next = live.unsettled.next;
  if (entry.stored) {
    stats.stored = {.frames = entry.stored->frames,
                    .sequences = entry.stored->sequences.stats(),
                    .last_seen_at = entry.stored->last_seen_at};
    const SequenceStats& stored = stats.stored->sequences;
    add_counts(stats, stored, stored.unsettled);
    if (!stats.last_sequence) {
      stats.last_sequence = stored.last_sequence;
    }
  }
  return stats;
}

std::vector<OriginStats> OriginTable::page(std::size_t from, std::size_t count) const {
  std::vector<OriginStats> page;
  const std::size_t end = std::min(entries_.size(), from + count);
  for (std::size_t i = from; i < end; ++i) {
    page.push_back(stats_of(entries_[i], entries_[i].origin));
  }
  const bool reached_end = from <= entries_.size() && end - from < count;
  if (reached_end && others_.frames > 0) {
    page.push_back(stats_of(others_, std::nullopt));
  }
  return page;
}

OriginTable::Sum OriginTable::sum(std::size_t from, std::size_t count) const {
  Sum sum;
  const std::size_t end = std::min(entries_.size(), from + count);
  for (std::size_t i = from; i < end; ++i) {
    add_to(sum.stats, stats_of(entries_[i], std::nullopt));
  }
  sum.reached_end = from + count > entries_.size();
  if (sum.reached_end) {
    add_to(sum.stats, stats_of(others_, std::nullopt));
  }
  return sum;
}

void add_to(OriginStats& sum, const OriginStats& stats) noexcept {
  sum.frames += stats.frames;
  sum.bytes += stats.bytes;
  add_counts(sum, counts_of(stats), stats.unsettled);
  sum.dropped += stats.dropped;
  sum.last_seen_at = std::max(sum.last_seen_at, stats.last_seen_at);
  if (stats.stored) {
    if (!sum.stored) {
      sum.stored.emplace();
    }
    const StoredStats& more = *stats.stored;
    sum.stored->frames += more.frames;
    add_counts(sum.stored->sequences, more.sequences, more.sequences.unsettled);
    sum.stored->last_seen_at = std::max(sum.stored->last_seen_at, more.last_seen_at);
  }
}

}  // namespace meridian::inline v1
