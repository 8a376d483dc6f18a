#include "aggregator/placed_batches.hpp"

#include "aggregator/batch_parts.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace meridian::inline v2::aggregator {

namespace {

/// Throws instead of reading what is not there. The daemon then saves what it has, and stops.
void require_some(const PlacedBatches::Entries& entries) {
  if (entries.empty()) {
    throw std::logic_error("the buffer counts frames that it does not have");
  }
}

}  // namespace

std::optional<PlacedBatches::Entry> PlacedBatches::find_from(std::uint64_t place) const {
  const auto entry = entries_.lower_bound(place);
  if (entry == entries_.end()) {
    return std::nullopt;
  }
  return Entry{.place = entry->first, .batch = &entry->second};
}

PlacedBatches::Entry PlacedBatches::oldest() const {
  require_some(entries_);
  const auto& [place, batch] = *entries_.begin();
  return {.place = place, .batch = &batch};
}

PlacedBatches::Entry PlacedBatches::newest() const {
  require_some(entries_);
  const auto& [place, batch] = *std::prev(entries_.end());
  return {.place = place, .batch = &batch};
}

void PlacedBatches::skip_to(std::uint64_t place) noexcept {
  end_place_ = std::max(end_place_, place);
}

void PlacedBatches::append(FrameBatch&& batch, ReadBehind behind) {
  const std::uint64_t place = std::exchange(end_place_, end_place_ + batch.frames());
  batch.forget_large_runs();
  if (batch.bytes() < FramePage::small_bytes) {
    page_.take_in(batch);
    if (join_last(batch)) {
      return;
    }
  } else if (behind == ReadBehind::may_be_refused) {
    batch.compact();
  }
  entries_.emplace_hint(entries_.end(), place, std::move(batch));
}

bool PlacedBatches::join_last(const FrameBatch& batch) {
  if (entries_.empty()) {
    return false;
  }
  auto& [place, last] = *std::prev(entries_.end());
  const std::uint64_t begin = end_place_ - batch.frames();
  return place + last.frames() == begin && begin != sealed_place_ &&
         last.reads() < FramePage::max_joined && last.join(batch);
}

BufferedBatch PlacedBatches::pass(FrameBatch&& batch, KeptRoom room) {
  if (room == KeptRoom::leased) {
    batch.compact();  // other batches of its slab leave earlier
  }
  const std::uint64_t place = std::exchange(end_place_, end_place_ + batch.frames());
  return {place, std::move(batch)};
}

void PlacedBatches::put_back(BufferedBatch& buffered) {
  const PlaceRange places = buffered.places();
  const auto behind = entries_.lower_bound(places.first);
  const bool reaches_behind = behind != entries_.end() && behind->first < places.end();
  const bool stands_in_front =
      behind != entries_.begin() &&
      std::prev(behind)->first + std::prev(behind)->second.frames() > places.first;
  if (places.first == 0 || places.end() > end_place_ || reaches_behind || stands_in_front) {
    throw std::logic_error("frames are put back to a place that is not theirs");
  }
  buffered.batch.forget_large_runs();
  entries_.emplace_hint(behind, places.first, std::move(buffered.batch));
}

FrameBatch PlacedBatches::hand_out(std::uint64_t place, std::size_t& moved) {
  FrameBatch& batch = entries_.at(place);
  moved += batch.compact();
  return batch.share();
}

FrameBatch PlacedBatches::take_at(std::uint64_t place) {
  const auto entry = entries_.find(place);
  if (entry == entries_.end()) {
    throw std::logic_error("frames are taken from a place where there are none");
  }
  FrameBatch batch = std::move(entry->second);
  entries_.erase(entry);
  return batch;
}

BufferedBatch PlacedBatches::take_oldest(std::uint32_t frames) {
  require_some(entries_);
  Entries::node_type oldest = entries_.extract(entries_.begin());
  const bool some_stay = frames < oldest.mapped().frames();
  BufferedBatch taken{oldest.key(), take_front(oldest.mapped(), frames)};
  if (some_stay) {
    oldest.key() += frames;
    entries_.insert(entries_.begin(), std::move(oldest));
  }
  return taken;
}

BufferedBatch PlacedBatches::take_newest(std::uint32_t frames) {
  require_some(entries_);
  const auto newest = std::prev(entries_.end());
  FrameBatch& batch = newest->second;
  if (frames == batch.frames()) {
    BufferedBatch whole{newest->first, std::move(batch)};
    entries_.erase(newest);
    return whole;
  }
  const std::uint32_t staying = batch.frames() - frames;
  FrameBatch front = batch.split_front(staying);
  front.compact();
  return {newest->first + staying, std::exchange(batch, std::move(front))};
}

PlacedBatches::Entries PlacedBatches::take_all() noexcept {
  return std::exchange(entries_, {});
}

}  // namespace meridian::inline v2::aggregator
