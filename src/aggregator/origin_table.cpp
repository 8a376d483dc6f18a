#include "aggregator/origin_table.hpp"

#include <algorithm>
#include <limits>

namespace meridian::inline v1 {

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

void OriginTable::add_to_totals(const SequenceState::Counts& before,
                                const SequenceState::Counts& now) noexcept {
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  totals_.gaps += now.gaps - before.gaps;
  totals_.missing += std::min(most - totals_.missing, now.missing - before.missing);
  totals_.duplicates += now.duplicates - before.duplicates;
  totals_.late += now.late - before.late;
}

void OriginTable::restore(const std::vector<OriginStats>& origins) {
  for (const OriginStats& stats : origins) {
    if (stats.origin && index_.contains(key_of(*stats.origin))) {
      continue;
    }
    Entry& entry = stats.origin ? add(*stats.origin) : others_;
    entry.frames = stats.frames;
    entry.bytes = stats.bytes;
    entry.dropped = stats.dropped;
    entry.last_seen_at = stats.last_seen_at;
    entry.sequences = SequenceState(stats.last_sequence, {.gaps = stats.gaps,
                                                          .missing = stats.missing,
                                                          .duplicates = stats.duplicates,
                                                          .late = stats.late});
    totals_.bytes += entry.bytes;
    add_to_totals({}, entry.sequences.counts());
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
}

void OriginTable::judge(const Run& run, SequenceWidth width) {
  Entry& entry = entry_of(run.origin);
  if (is_tracked(entry)) {
    const SequenceState::Counts before = entry.sequences.counts();
    entry.sequences.observe(run, width);
    add_to_totals(before, entry.sequences.counts());
  }
}

void OriginTable::dropped(Origin origin, std::uint64_t frames) {
  entry_of(origin).dropped += frames;
}

OriginStats OriginTable::stats_of(const Entry& entry, std::optional<Origin> origin) {
  const SequenceState::Counts& counts = entry.sequences.counts();
  return {.origin = origin,
          .frames = entry.frames,
          .bytes = entry.bytes,
          .last_sequence = entry.sequences.last(),
          .gaps = counts.gaps,
          .missing = counts.missing,
          .duplicates = counts.duplicates,
          .late = counts.late,
          .dropped = entry.dropped,
          .last_seen_at = entry.last_seen_at};
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
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  sum.frames += stats.frames;
  sum.bytes += stats.bytes;
  sum.gaps += stats.gaps;
  sum.missing += std::min(most - sum.missing, stats.missing);
  sum.duplicates += stats.duplicates;
  sum.late += stats.late;
  sum.dropped += stats.dropped;
  sum.last_seen_at = std::max(sum.last_seen_at, stats.last_seen_at);
}

}  // namespace meridian::inline v1
