#include "aggregator/position.hpp"

#include "aggregator/amounts.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <tuple>
#include <utility>

namespace meridian::inline v2::aggregator {

namespace {

/// The first place of a buffer. There are none before it that could be passed over.
constexpr std::uint64_t first_place = 1;

PlaceSet places_of(const std::vector<Attempt>& attempts) {
  PlaceSet places;
  for (const Attempt& attempt : attempts) {
    for (const PlaceRange& range : attempt.ranges) {
      places.add(range);
    }
  }
  return places;
}

}  // namespace

Position::Position(const ConsumerOptions& options) : next_place_(first_place) {
  stats_.name = options.name;
  stats_.hold = options.hold;
}

void Position::adding(const Amount& amount) noexcept {
  add_to(stats_.lag, amount);
}

void Position::refused(const Amount& amount) {
  subtract_from(stats_.lag, amount);
}

void Position::removed(const PlaceRange& range, std::uint64_t bytes, Skip why) {
  const std::uint64_t skipped = remove_unread(range, Gap::may_hold_frames);
  if (skipped > 0) {
    // A batch is read as a whole, so none of it had been read.
    subtract_from(stats_.lag, {.frames = skipped, .bytes = bytes});
    stats_.skipped.at(static_cast<std::size_t>(why)) += skipped;
  } else {
    no_longer_held(range, bytes, why);
  }
}

void Position::came_back(const PlaceRange& range) {
  if (unread_.intersects(range)) {
    at_hand_.add(range);
  }
}

bool Position::has_in_flight(const PlaceRange& range) const {
  auto behind = in_flight_.upper_bound(range.end() - 1);
  if (behind == in_flight_.begin()) {
    return false;
  }
  const auto& [place, last] = *std::prev(behind);
  return place + last.amount.frames > range.first;
}

std::uint64_t Position::unread_in(const PlaceRange& range) const {
  const std::uint64_t behind = range.end() - std::clamp(next_place_, range.first, range.end());
  return behind + unread_.count_in(range);
}

std::uint64_t Position::remove_unread(const PlaceRange& range, Gap gap) {
  std::uint64_t removed = unread_.remove(range);
  if (removed > 0) {
    std::ignore = at_hand_.remove(range);
  }
  if (range.end() > next_place_) {
    if (range.first > next_place_) {
      // Places that are passed over stay unread.
      const PlaceRange passed_over{.first = next_place_, .frames = range.first - next_place_};
      unread_.add(passed_over);
      if (gap == Gap::may_hold_frames) {
        at_hand_.add(passed_over);
      }
    }
    removed += range.end() - std::max(range.first, next_place_);
    next_place_ = range.end();
  }
  return removed;
}

/// For a batch, or a part of one, of which nothing is unread.
void Position::no_longer_held(const PlaceRange& range, std::uint64_t bytes, Skip why) {
  const auto behind = in_flight_.upper_bound(range.first);
  if (behind == in_flight_.begin()) {
    return;
  }
  auto& [place, read] = *std::prev(behind);
  if (place + read.amount.frames > range.first) {
    const Amount gone{.frames = range.frames, .bytes = bytes};
    subtract_from(read.held, gone);
    subtract_from(held_in_flight_, gone);
    subtract_from(stats_.lag, gone);
    read.gone.push_back({range, why});
  }
}

std::optional<FrameBuffer::Entry> Position::next_unread(const FrameBuffer& buffer) {
  while (const auto range = at_hand_.first()) {
    const auto entry = buffer.find_from(range->first);
    if (!entry || entry->place >= range->end()) {
      std::ignore = at_hand_.remove(*range);  // has been taken out since
      continue;
    }
    if (unread_.intersects(entry->places())) {
      return entry;
    }
    std::ignore = at_hand_.remove(entry->places());
  }
  return buffer.find_from(next_place_);
}

void Position::note_read(const FrameBuffer::Entry& entry) {
  const PlaceRange places = entry.places();
  const Amount amount = amount_of(*entry.batch);
  std::ignore = remove_unread(places, Gap::is_empty);
  in_flight_.emplace(
      places.first,
      InFlight{.amount = amount, .held = amount, .received_at = entry.batch->stamp().received_at});
  add_to(stats_.in_flight, amount);
  add_to(held_in_flight_, amount);
}

bool Position::acknowledge(const PlaceRange& range) {
  const auto entry = in_flight_.find(range.first);
  if (entry == in_flight_.end() || entry->second.amount.frames != range.frames) {
    return false;
  }
  const Amount& amount = entry->second.amount;
  subtract_from(stats_.in_flight, amount);
  subtract_from(stats_.lag, entry->second.held);
  subtract_from(held_in_flight_, entry->second.held);
  add_to(stats_.acknowledged, amount);
  in_flight_.erase(entry);
  return true;
}

PlaceSet Position::InFlight::readable(std::uint64_t place) const {
  PlaceSet places;
  places.add({.first = place, .frames = amount.frames});
  for (const Gone& each : gone) {
    std::ignore = places.remove(each.places);
  }
  return places;
}

PlaceRange Position::unread_again(std::uint64_t place) {
  return unread_again(in_flight_.find(place));
}

PlaceRange Position::unread_again(AllInFlight::iterator entry) {
  const PlaceRange range{.first = entry->first, .frames = entry->second.amount.frames};
  for (const PlaceRange& readable : entry->second.readable(entry->first).ranges()) {
    unread_.add(readable);
    at_hand_.add(readable);
  }
  for (const Gone& gone : entry->second.gone) {
    stats_.skipped.at(static_cast<std::size_t>(gone.why)) += gone.places.frames;
  }
  subtract_from(stats_.in_flight, entry->second.amount);
  subtract_from(held_in_flight_, entry->second.held);
  in_flight_.erase(entry);
  return range;
}

std::vector<PlaceRange> Position::unread_again_but_for(const PlaceSet& attempted) {
  std::vector<PlaceRange> ranges;
  for (auto entry = in_flight_.begin(); entry != in_flight_.end();) {
    const auto next = std::next(entry);
    if (!attempted.intersects({.first = entry->first, .frames = entry->second.amount.frames})) {
      ranges.push_back(unread_again(entry));
    }
    entry = next;
  }
  return ranges;
}

std::vector<PlaceRange> Position::unread_all_again() {
  return unread_again_but_for({});
}

std::vector<PlaceRange> Position::suspend(std::vector<Attempt> attempts) {
  std::vector<PlaceRange> ranges = unread_again_but_for(places_of(attempts));
  attempts_ = std::move(attempts);
  return ranges;
}

std::vector<FrameBuffer::Entry> Position::unread_attempts(const FrameBuffer& buffer) const {
  std::vector<FrameBuffer::Entry> entries;
  const PlaceSet attempted = places_of(attempts_);
  for (const PlaceRange& range : unread_.ranges()) {
    auto entry = buffer.find_from(range.first);
    while (entry && entry->place < std::min(range.end(), attempted.end())) {
      if (attempted.intersects(entry->places())) {
        entries.push_back(*entry);
      }
      entry = buffer.find_from(entry->places().end());
    }
  }
  return entries;
}

ConsumerStats Position::stats(const FrameBuffer& buffer) {
  ConsumerStats stats = stats_;
  const auto note = [&stats](ReceiveTime received_at) {
    stats.oldest = std::min(stats.oldest.value_or(received_at), received_at);
  };
  stats.unread = stats.lag;
  subtract_from(stats.unread, held_in_flight_);
  const auto held = std::ranges::find_if(
      in_flight_, [](const auto& each) { return each.second.held.frames > 0; });
  if (held != in_flight_.end()) {
    note(held->second.received_at);
  }
  if (const auto first = next_unread(buffer)) {
    note(first->batch->stamp().received_at);
  }
  return stats;
}

SavedConsumer Position::saved() const {
  PlaceSet unread = unread_;
  const PlaceSet attempted = places_of(attempts_);
  for (const auto& [place, in_flight] : in_flight_) {
    const PlaceRange range{.first = place, .frames = in_flight.amount.frames};
    if (!attempted.intersects(range)) {
      // The consumer has ended without a call of `suspend`.
      for (const PlaceRange& readable : in_flight.readable(place).ranges()) {
        unread.add(readable);
      }
    }
  }
  return {
      .name = name(), .next_place = next_place_, .unread = unread.ranges(), .attempts = attempts_};
}

void Position::restore(const std::vector<SavedConsumer>& saved,
                       const std::vector<BufferedBatch>& batches) {
  PlaceSet attempted;
  if (const auto found = std::ranges::find(saved, name(), &SavedConsumer::name);
      found != saved.end()) {
    next_place_ = found->next_place;
    for (const PlaceRange& range : found->unread) {
      unread_.add(range);
    }
    attempts_ = found->attempts;
    attempted = places_of(attempts_);
  }
  for (const BufferedBatch& buffered : batches) {
    const PlaceRange range = buffered.places();
    const bool behind = range.first >= next_place_;
    if (!behind && attempted.intersects(range)) {
      unread_.add(range);  // until the consumer resumes
    }
    if (has_unread(range)) {
      add_to(stats_.lag, {.frames = range.frames, .bytes = buffered.batch.bytes()});
    }
  }
  at_hand_ = unread_;
}

}  // namespace meridian::inline v2::aggregator
