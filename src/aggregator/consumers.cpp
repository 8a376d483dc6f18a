#include "aggregator/consumers.hpp"

#include "aggregator/amounts.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace meridian::inline v2::aggregator {

namespace {

/// Batches that are read at a time: a few hundred microseconds' work.
constexpr std::size_t most_batches = 1024;

/// Octets that move to memory of their own meanwhile: a millisecond's work.
constexpr std::size_t most_moved = 4 * 1024 * 1024;

/// Of a buffer. Places before it never existed, and so are not passed over.
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

bool Consumers::Position::has_in_flight(const PlaceRange& range) const {
  auto behind = in_flight.upper_bound(range.end() - 1);
  if (behind == in_flight.begin()) {
    return false;
  }
  const auto& [place, last] = *std::prev(behind);
  return place + last.amount.frames > range.first;
}

std::uint64_t Consumers::Position::unread_in(const PlaceRange& range) const {
  const std::uint64_t behind = range.end() - std::clamp(next_place, range.first, range.end());
  return behind + unread.count_in(range);
}

std::uint64_t Consumers::Position::remove_unread(const PlaceRange& range, Gap gap) {
  std::uint64_t removed = unread.remove(range);
  if (removed > 0) {
    std::ignore = at_hand.remove(range);
  }
  if (range.end() > next_place) {
    if (range.first > next_place) {
      // What is passed over stays unread.
      const PlaceRange passed_over{.first = next_place, .frames = range.first - next_place};
      unread.add(passed_over);
      if (gap == Gap::may_hold_frames) {
        at_hand.add(passed_over);
      }
    }
    removed += range.end() - std::max(range.first, next_place);
    next_place = range.end();
  }
  return removed;
}

/// A batch, or a part of one, of which nothing was unread.
void Consumers::Position::no_longer_held(const PlaceRange& range, std::uint64_t bytes, Skip why) {
  const auto behind = in_flight.upper_bound(range.first);
  if (behind == in_flight.begin()) {
    return;
  }
  auto& [place, read] = *std::prev(behind);
  if (place + read.amount.frames > range.first) {
    const Amount gone{.frames = range.frames, .bytes = bytes};
    subtract_from(read.held, gone);
    subtract_from(held_in_flight, gone);
    subtract_from(stats.lag, gone);
    read.gone.push_back({range, why});
  }
}

PlaceSet Consumers::InFlight::readable(std::uint64_t place) const {
  PlaceSet places;
  places.add({.first = place, .frames = amount.frames});
  for (const Gone& each : gone) {
    std::ignore = places.remove(each.places);
  }
  return places;
}

PlaceRange Consumers::Position::unread_again(std::map<std::uint64_t, InFlight>::iterator entry) {
  const PlaceRange range{.first = entry->first, .frames = entry->second.amount.frames};
  for (const PlaceRange& readable : entry->second.readable(entry->first).ranges()) {
    unread.add(readable);
    at_hand.add(readable);
  }
  for (const Gone& gone : entry->second.gone) {
    stats.skipped.at(static_cast<std::size_t>(gone.why)) += gone.places.frames;
  }
  subtract_from(stats.in_flight, entry->second.amount);
  subtract_from(held_in_flight, entry->second.held);
  in_flight.erase(entry);
  return range;
}

Consumers::Consumers(const std::vector<ConsumerOptions>& options) {
  for (const ConsumerOptions& each : options) {
    Position& one = consumers_.emplace_back();
    one.options = each;
    one.next_place = first_place;
    one.stats.name = each.name;
    one.stats.hold = each.hold;
    holders_ += each.hold ? 1 : 0;
  }
}

boost::system::result<Consumers::Id> Consumers::claim(std::string_view name,
                                                      std::weak_ptr<const void> claim) {
  const auto found = std::ranges::find(
      consumers_, name, [](const Position& one) -> std::string_view { return one.options.name; });
  if (found == consumers_.end()) {
    return error_code(Errc::consumer_unknown);
  }
  if (!found->claim.expired()) {
    return error_code(Errc::consumer_claimed);
  }
  found->claim = std::move(claim);
  found->waiting.reset();
  while (!found->in_flight.empty()) {
    stays(found->unread_again(found->in_flight.begin()));
  }
  return static_cast<Id>(found - consumers_.begin());
}

void Consumers::adding(const Amount& amount) {
  for (Position& one : consumers_) {
    add_to(one.stats.lag, amount);
  }
}

void Consumers::refused(const Amount& amount) {
  for (Position& one : consumers_) {
    subtract_from(one.stats.lag, amount);
  }
}

void Consumers::left(const PlaceRange& range) {
  left_over_.forget(range);
  in_flight_only_.forget(range);
}

void Consumers::removed(const PlaceRange& range, std::uint64_t bytes, Skip why) {
  left(range);
  for (Position& one : consumers_) {
    const std::uint64_t skipped = one.remove_unread(range, Position::Gap::may_hold_frames);
    if (skipped > 0) {
      // A batch is read as a whole, so none of it had been read.
      subtract_from(one.stats.lag, {.frames = skipped, .bytes = bytes});
      one.stats.skipped.at(static_cast<std::size_t>(why)) += skipped;
    } else {
      one.no_longer_held(range, bytes, why);
    }
  }
}

bool Consumers::have_all(const PlaceRange& range) const {
  return !consumers_.empty() && std::ranges::all_of(consumers_, [&](const Position& one) {
    return one.unread_in(range) == 0 && !one.has_in_flight(range);
  });
}

bool Consumers::needed_by_holders(const PlaceRange& range) const {
  return std::ranges::any_of(consumers_, [&](const Position& one) {
    return one.options.hold && (one.unread_in(range) > 0 || one.has_in_flight(range));
  });
}

bool Consumers::in_flight_anywhere(const PlaceRange& range) const {
  return std::ranges::any_of(consumers_,
                             [&](const Position& one) { return one.has_in_flight(range); });
}

std::optional<std::uint64_t> Consumers::expendable(const FrameBuffer& buffer) {
  const auto is_left_over = [&](const PlaceRange& range) {
    return !needed_by_holders(range) && !in_flight_anywhere(range);
  };
  if (const auto place = left_over_.oldest(buffer, is_left_over)) {
    return place;
  }
  if (!consumers_.empty() && !anyone_holds()) {
    if (const auto entry = buffer.find_from(read_until_)) {
      return entry->place;
    }
  }
  return in_flight_only_.oldest(buffer,
                                [&](const PlaceRange& range) { return !needed_by_holders(range); });
}

void Consumers::stays(const PlaceRange& range) {
  if (!needed_by_holders(range)) {
    (in_flight_anywhere(range) ? in_flight_only_ : left_over_).note(range.first);
  }
}

void Consumers::came_back(const PlaceRange& range) {
  for (Position& one : consumers_) {
    if (one.unread.intersects(range)) {
      one.at_hand.add(range);
    }
  }
  stays(range);
}

void Consumers::wait(Id id, std::size_t max_bytes, ReadReply reply) {
  consumers_.at(id).waiting.emplace(Waiting{.reply = std::move(reply), .max_bytes = max_bytes});
}

void Consumers::serve(FrameBuffer& buffer) {
  for (Position& one : consumers_) {
    if (!one.waiting) {
      continue;
    }
    std::vector<BufferedBatch> batches = read(one, buffer, one.waiting->max_bytes);
    if (batches.empty()) {
      continue;
    }
    Waiting waiting = *std::exchange(one.waiting, std::nullopt);
    if (const auto undelivered = std::move(waiting.reply).send(std::move(batches))) {
      for (const BufferedBatch& each : *undelivered) {
        stays(one.unread_again(one.in_flight.find(each.place)));
      }
    }
  }
}

std::optional<FrameBuffer::Entry> Consumers::next_unread(Position& one,
                                                         const FrameBuffer& buffer) const {
  while (const auto range = one.at_hand.first()) {
    const auto entry = buffer.find_from(range->first);
    if (!entry || entry->place >= range->end()) {
      std::ignore = one.at_hand.remove(*range);  // has been taken out since
      continue;
    }
    if (one.unread.intersects(entry->places())) {
      return entry;
    }
    std::ignore = one.at_hand.remove(entry->places());
  }
  return buffer.find_from(one.next_place);
}

void Consumers::note_read(Position& one, const FrameBuffer::Entry& entry) {
  const PlaceRange places = entry.places();
  const Amount amount = amount_of(*entry.batch);
  std::ignore = one.remove_unread(places, Position::Gap::is_empty);
  one.in_flight.emplace(
      places.first,
      InFlight{.amount = amount, .held = amount, .received_at = entry.batch->stamp().received_at});
  add_to(one.stats.in_flight, amount);
  add_to(one.held_in_flight, amount);
  read_until_ = std::max(read_until_, places.end());
  stays(places);
}

std::vector<BufferedBatch> Consumers::read(Position& one, FrameBuffer& buffer,
                                           std::size_t max_bytes) {
  std::vector<BufferedBatch> batches;
  std::size_t bytes = 0;
  std::size_t moved = 0;
  while (batches.size() < most_batches && moved < most_moved) {
    const auto entry = next_unread(one, buffer);
    if (!entry || (!batches.empty() && bytes + entry->batch->bytes() > max_bytes)) {
      break;
    }
    bytes += entry->batch->bytes();
    batches.push_back({entry->place, buffer.hand_out(entry->place, moved)});
    note_read(one, *entry);
    if (entry->places().end() == buffer.end_place()) {
      buffer.seal();  // what comes next is not joined to what has been read
    }
  }
  return batches;
}

bool Consumers::acknowledge(Id id, const PlaceRange& range) {
  Position& one = consumers_.at(id);
  const auto entry = one.in_flight.find(range.first);
  if (entry == one.in_flight.end() || entry->second.amount.frames != range.frames) {
    return false;
  }
  const Amount& amount = entry->second.amount;
  subtract_from(one.stats.in_flight, amount);
  subtract_from(one.stats.lag, entry->second.held);
  subtract_from(one.held_in_flight, entry->second.held);
  add_to(one.stats.acknowledged, amount);
  one.in_flight.erase(entry);
  return true;
}

void Consumers::suspend(Id id, std::vector<Attempt> attempts) {
  Position& one = consumers_.at(id);
  one.waiting.reset();
  const PlaceSet attempted = places_of(attempts);
  for (auto entry = one.in_flight.begin(); entry != one.in_flight.end();) {
    const auto next = std::next(entry);
    if (!attempted.intersects({.first = entry->first, .frames = entry->second.amount.frames})) {
      stays(one.unread_again(entry));
    }
    entry = next;
  }
  one.attempts = std::move(attempts);
}

Resumed Consumers::resume(Id id, FrameBuffer& buffer) {
  Position& one = consumers_.at(id);
  Resumed resumed{.attempts = one.attempts, .batches = {}};
  std::size_t moved = 0;
  const PlaceSet attempted = places_of(one.attempts);
  for (const PlaceRange& range : one.unread.ranges()) {
    auto entry = buffer.find_from(range.first);
    while (entry && entry->place < std::min(range.end(), attempted.end())) {
      if (attempted.intersects(entry->places())) {
        resumed.batches.push_back({entry->place, buffer.hand_out(entry->place, moved)});
        note_read(one, *entry);
      }
      entry = buffer.find_from(entry->places().end());
    }
  }
  return resumed;
}

std::vector<ConsumerStats> Consumers::stats(const FrameBuffer& buffer) {
  std::vector<ConsumerStats> all;
  for (Position& one : consumers_) {
    ConsumerStats& stats = all.emplace_back(one.stats);
    const auto note = [&stats](ReceiveTime received_at) {
      stats.oldest = std::min(stats.oldest.value_or(received_at), received_at);
    };
    stats.unread = stats.lag;
    subtract_from(stats.unread, one.held_in_flight);
    const auto held = std::ranges::find_if(
        one.in_flight, [](const auto& each) { return each.second.held.frames > 0; });
    if (held != one.in_flight.end()) {
      note(held->second.received_at);
    }
    if (const auto first = next_unread(one, buffer)) {
      note(first->batch->stamp().received_at);
    }
  }
  return all;
}

std::vector<SavedConsumer> Consumers::saved() const {
  std::vector<SavedConsumer> all;
  for (const Position& one : consumers_) {
    PlaceSet unread = one.unread;
    const PlaceSet attempted = places_of(one.attempts);
    for (const auto& [place, in_flight] : one.in_flight) {
      const PlaceRange range{.first = place, .frames = in_flight.amount.frames};
      if (!attempted.intersects(range)) {
        // Its consumer is gone without a call of `suspend`.
        for (const PlaceRange& readable : in_flight.readable(place).ranges()) {
          unread.add(readable);
        }
      }
    }
    all.push_back({.name = one.options.name,
                   .next_place = one.next_place,
                   .unread = unread.ranges(),
                   .attempts = one.attempts});
  }
  return all;
}

void Consumers::restore(const std::vector<SavedConsumer>& saved,
                        const std::vector<BufferedBatch>& batches) {
  for (Position& one : consumers_) {
    PlaceSet attempted;
    if (const auto found = std::ranges::find(saved, one.options.name, &SavedConsumer::name);
        found != saved.end()) {
      one.next_place = found->next_place;
      for (const PlaceRange& range : found->unread) {
        one.unread.add(range);
      }
      one.attempts = found->attempts;
      attempted = places_of(one.attempts);
    }
    for (const BufferedBatch& buffered : batches) {
      const PlaceRange range{.first = buffered.place, .frames = buffered.batch.frames()};
      const bool behind = range.first >= one.next_place;
      if (!behind && attempted.intersects(range)) {
        one.unread.add(range);  // until it is resumed
      }
      if (one.unread_in(range) > 0) {
        add_to(one.stats.lag, {.frames = range.frames, .bytes = buffered.batch.bytes()});
      }
    }
    one.at_hand = one.unread;
  }
}

}  // namespace meridian::inline v2::aggregator
