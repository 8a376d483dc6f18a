#include "aggregator/origin_table.hpp"

#include <algorithm>

namespace meridian {

OriginTable::Entry& OriginTable::entry_of(Origin origin) {
  if (const auto found = index_.find(key_of(origin)); found != index_.end()) {
    return entries_[found->second];
  }
  return entries_.size() < max_tracked_ ? add(origin) : others_;
}

OriginTable::Entry& OriginTable::add(Origin origin) {
  index_.emplace(key_of(origin), static_cast<std::uint32_t>(entries_.size()));
  return entries_.emplace_back(Entry{.origin = origin});
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
  entry.last_seen_at = std::max(entry.last_seen_at, received_at);
}

void OriginTable::judge(const Run& run, SequenceWidth width) {
  Entry& entry = entry_of(run.origin);
  if (is_tracked(entry)) {
    entry.sequences.observe(run, width);
  }
}

void OriginTable::dropped(Origin origin, std::uint64_t frames) {
  entry_of(origin).dropped += frames;
}

std::vector<OriginStats> OriginTable::page(std::size_t from, std::size_t count) const {
  std::vector<OriginStats> page;
  const auto append = [&page](const Entry& entry, std::optional<Origin> origin) {
    const SequenceState::Counts& counts = entry.sequences.counts();
    page.push_back({.origin = origin,
                    .frames = entry.frames,
                    .bytes = entry.bytes,
                    .last_sequence = entry.sequences.last(),
                    .gaps = counts.gaps,
                    .missing = counts.missing,
                    .duplicates = counts.duplicates,
                    .late = counts.late,
                    .dropped = entry.dropped,
                    .last_seen_at = entry.last_seen_at});
  };
  const std::size_t end = std::min(entries_.size(), from + count);
  for (std::size_t i = from; i < end; ++i) {
    append(entries_[i], entries_[i].origin);
  }
  const bool reached_end = from <= entries_.size() && end - from < count;
  if (reached_end && others_.frames > 0) {
    append(others_, std::nullopt);
  }
  return page;
}

}  // namespace meridian
