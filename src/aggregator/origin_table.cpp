#include "aggregator/origin_table.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

namespace meridian::inline v2::aggregator {

namespace {

constexpr std::uint64_t largest_count = std::numeric_limits<std::uint64_t>::max();

/// Adds to the figures of an origin, of its stored frames, or of a sum.
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

/// The counter of live frames, which is the whole without the counter of stored ones.
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

OriginTable::Entry* OriginTable::find(Origin origin) {
  const auto found = index_.find(key_of(origin));
  return found != index_.end() ? &entries_[found->second] : nullptr;
}

OriginTable::Entry& OriginTable::entry_of(Origin origin) {
  if (Entry* const entry = find(origin)) {
    return *entry;
  }
  return index_.size() < max_tracked_ ? add(origin) : others_;
}

OriginTable::Entry& OriginTable::add(Origin origin) {
  auto place = static_cast<std::uint32_t>(entries_.size());
  if (free_.empty()) {
    entries_.emplace_back();
  } else {
    place = free_.extract(free_.begin()).value();
  }
  index_.emplace(key_of(origin), place);
  totals_.origins = index_.size();
  Entry& entry = entries_[place];
  entry.origin = origin;
  entry.taken = true;
  return entry;
}

void OriginTable::vacate(Entry& entry) {
  OriginStats last = stats_of(entry, std::nullopt);
  // Frames that might have become a reset are late, or jumps, for good.
  totals_.late += last.unsettled.late;
  totals_.jumps += last.unsettled.jumps;
  last.unsettled = {};
  if (last.stored) {
    last.stored->sequences.unsettled = {};
  }
  auto before = entry.before ? std::move(entry.before) : std::make_unique<OriginStats>();
  add_to(*before, last);
  add_to(forgotten_ ? *forgotten_ : forgotten_.emplace(), last);
  index_.erase(key_of(entry.origin));
  totals_.origins = index_.size();
  free_.insert(static_cast<std::uint32_t>(&entry - entries_.data()));
  entry = Entry{.origin = {}, .before = std::move(before), .taken = false};
}

OriginTable::Forgotten OriginTable::forget(SatelliteId satellite_id,
                                           std::optional<ChannelId> channel_id, std::size_t from,
                                           std::size_t count) {
  Forgotten forgotten;
  if (channel_id) {
    Entry* const entry = find({.satellite_id = satellite_id, .channel_id = *channel_id});
    if (entry != nullptr) {
      vacate(*entry);
      ++forgotten.origins;
    }
    forgotten.reached_end = true;
    return forgotten;
  }
  const std::size_t end = std::min(entries_.size(), from + count);
  for (std::size_t i = from; i < end; ++i) {
    if (entries_[i].taken && entries_[i].origin.satellite_id == satellite_id) {
      vacate(entries_[i]);
      ++forgotten.origins;
    }
  }
  forgotten.reached_end = end == entries_.size();
  return forgotten;
}

OriginTable::Forgotten OriginTable::age(const Aging& aging, std::size_t from, std::size_t count) {
  using std::chrono::milliseconds;
  Forgotten forgotten;
  const std::size_t end = std::min(entries_.size(), from + count);
  for (std::size_t i = from; i < end; ++i) {
    Entry& entry = entries_[i];
    if (!entry.taken) {
      continue;
    }
    if (std::exchange(entry.heard, false)) {
      entry.idle = milliseconds(0);
    } else if (entry.idle) {
      *entry.idle += aging.elapsed;
    } else {
      // A restored entry. Nothing could arrive while the daemon did not run, so this time counts
      // for half of the limit at most.
      const auto since = std::chrono::floor<milliseconds>(aging.now - entry.last_seen_at);
      entry.idle = std::clamp(since, milliseconds(0), milliseconds(aging.limit) / 2);
    }
    if (*entry.idle >= aging.limit) {
      vacate(entry);
      ++forgotten.origins;
    }
  }
  forgotten.reached_end = end == entries_.size();
  return forgotten;
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

void OriginTable::restore(const std::vector<OriginStats>& origins,
                          const std::optional<OriginStats>& forgotten) {
  for (const OriginStats& stats : origins) {
    if (stats.origin && index_.contains(key_of(*stats.origin))) {
      continue;
    }
    Entry& entry = stats.origin ? add(*stats.origin) : others_;
    entry.restore(stats);
    entry.heard = false;
    totals_.bytes += entry.bytes;
    add_to_totals({}, entry.sequences.settled());
    if (entry.stored) {
      add_to_totals({}, entry.stored->sequences.settled());
    }
  }
  restored_ = entries_.size();
  others_restored_ = others_.frames > 0;
  totals_.untracked_frames = others_.frames;
  if (forgotten) {
    forgotten_ = forgotten;
    restored_forgotten_ = forgotten;
    totals_.bytes += forgotten->bytes;
    add_to_totals({}, counts_of(*forgotten));
  }
}

bool OriginTable::knows(Origin origin) const {
  const auto found = index_.find(key_of(origin));
  if (found != index_.end()) {
    return found->second < restored_;
  }
  // Frames in the buffer may be of a forgotten origin, and are then in the sum over these.
  return others_restored_ || restored_forgotten_.has_value();
}

void OriginTable::count(const Run& run, ReceiveTime received_at) {
  Entry& entry = entry_of(run.origin);
  entry.frames += run.frames;
  entry.bytes += run.bytes;
  totals_.bytes += run.bytes;
  entry.last_seen_at = std::max(entry.last_seen_at, received_at);
  entry.heard = true;
  totals_.untracked_frames = others_.frames;
  if (run.stored) {
    Stored& stored = entry.stored_part();
    stored.frames += run.frames;
    stored.last_seen_at = std::max(stored.last_seen_at, received_at);
  }
}

void OriginTable::judge(const Run& run, SequenceWidth width) {
  Entry* const entry = find(run.origin);
  if (entry == nullptr) {
    return;
  }
  SequenceState& sequences = run.stored ? entry->stored_part().sequences : entry->sequences;
  const SequenceCounts before = sequences.settled();
  if (sequences.observe(run, width, reset_after_)) {
    add_to_totals(before, sequences.settled());
  }
}

void OriginTable::dropped(Origin origin, std::uint64_t frames) {
  // Drops of an origin that was forgotten meanwhile do not make it known again.
  Entry* const entry = find(origin);
  (entry != nullptr ? *entry : others_).dropped += frames;
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

OriginPage OriginTable::page(std::size_t from, std::size_t count) const {
  OriginPage page;
  const std::size_t end = from + std::min(count, entries_.size() - std::min(from, entries_.size()));
  for (std::size_t i = from; i < end; ++i) {
    if (entries_[i].taken) {
      page.rows.push_back(stats_of(entries_[i], entries_[i].origin));
    }
  }
  page.next = end;
  page.at_end = end - from < count;
  if (page.at_end && from <= entries_.size() && others_.frames > 0) {
    page.rows.push_back(stats_of(others_, std::nullopt));
  }
  return page;
}

OriginTable::Sum OriginTable::sum(std::size_t from, std::size_t count) const {
  Sum sum;
  const std::size_t end = std::min(entries_.size(), from + count);
  for (std::size_t i = from; i < end; ++i) {
    add_to(sum.stats, stats_of(entries_[i], std::nullopt));
    if (entries_[i].before) {
      add_to(sum.stats, *entries_[i].before);
    }
  }
  sum.reached_end = from + count > entries_.size();
  if (sum.reached_end) {
    add_to(sum.stats, stats_of(others_, std::nullopt));
    add_to(sum.stats, restored_forgotten_.value_or(OriginStats{}));
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

}  // namespace meridian::inline v2::aggregator
