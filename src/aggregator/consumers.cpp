#include "aggregator/consumers.hpp"

#include "aggregator/depth.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace meridian::inline v1 {

namespace {

/// Batches that are read at a time: some hundred microseconds' work.
constexpr std::size_t most_batches = 1024;

/// Of a buffer. What lies before it is not passed over, since it never was.
constexpr std::uint64_t first_place = 1;

PlaceRange range_of(const FrameBuffer::Entry& entry) {
  return {.first = entry.place, .frames = entry.batch->frames()};
}

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

std::string_view name_of(Skip reason) noexcept {
  switch (reason) {
    case Skip::buffer_full:
      return "buffer_full";
    case Skip::drained:
      return "drained";
    case Skip::flushed:
      return "flushed";
  }
  return "unknown";
}

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

std::uint64_t Consumers::Position::remove_unread(const PlaceRange& range) {
  std::uint64_t removed = unread.remove(range);
  if (range.end() > next_place) {
    // What is passed over stays unread.
    if (range.first > next_place) {
      unread.add({.first = next_place, .frames = range.first - next_place});
    }
    removed += range.end() - std::max(range.first, next_place);
    next_place = range.end();
  }
  return removed;
}

void Consumers::Position::read(std::uint64_t place, const FrameBatch& batch) {
  const Depth amount = amount_of(batch);
  std::ignore = remove_unread({.first = place, .frames = amount.frames});
  in_flight.emplace(
      place, InFlight{.amount = amount, .held = amount, .received_at = batch.stamp().received_at});
  add_to(stats.in_flight, amount);
  add_to(held_in_flight, amount);
}

/// A batch, or a part of one, of which nothing was unread.
void Consumers::Position::no_longer_held(const PlaceRange& range, std::uint64_t bytes) {
  const auto behind = in_flight.upper_bound(range.first);
  if (behind == in_flight.begin()) {
    return;
  }
  auto& [place, read] = *std::prev(behind);
  if (place + read.amount.frames > range.first) {
    const Depth gone{.frames = range.frames, .bytes = bytes};
    subtract_from(read.held, gone);
    subtract_from(held_in_flight, gone);
    subtract_from(stats.lag, gone);
  }
}

PlaceRange Consumers::Position::unread_again(std::map<std::uint64_t, InFlight>::iterator entry) {
  const PlaceRange range{.first = entry->first, .frames = entry->second.amount.frames};
  unread.add(range);
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

void Consumers::adding(const Depth& amount) {
  for (Position& one : consumers_) {
    add_to(one.stats.lag, amount);
  }
}

void Consumers::refused(const Depth& amount) {
  for (Position& one : consumers_) {
    subtract_from(one.stats.lag, amount);
  }
}

void Consumers::removed(const PlaceRange& range, std::uint64_t bytes, Skip why) {
  for (Position& one : consumers_) {
    const std::uint64_t skipped = one.remove_unread(range);
    if (skipped > 0) {
      // A batch is read as a whole, so that none of it was.
      subtract_from(one.stats.lag, {.frames = skipped, .bytes = bytes});
      one.stats.skipped.at(static_cast<std::size_t>(why)) += skipped;
    } else {
      one.no_longer_held(range, bytes);
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

bool Consumers::may_make_room(const PlaceRange& range) const {
  return !needed_by_holders(range) && std::ranges::none_of(consumers_, [&](const Position& one) {
    return one.has_in_flight(range);
  });
}

std::optional<std::uint64_t> Consumers::expendable(const FrameBuffer& buffer) {
  while (!left_over_.empty()) {
    const auto entry = buffer.find_from(*left_over_.begin());
    if (entry && entry->place == *left_over_.begin() && may_make_room(range_of(*entry))) {
      return entry->place;
    }
    left_over_.erase(left_over_.begin());
  }
  if (!consumers_.empty() && !anyone_holds()) {
    while (const auto entry = buffer.find_from(scan_from_)) {
      if (may_make_room(range_of(*entry))) {
        return entry->place;
      }
      scan_from_ = range_of(*entry).end();
    }
  }
  return oldest_in_flight(buffer);
}

std::optional<std::uint64_t> Consumers::oldest_in_flight(const FrameBuffer& buffer) const {
  const auto front = buffer.find_from(0);
  for (const Position& one : consumers_) {
    if (!front || one.options.hold) {
      continue;
    }
    // What lies before has made room already.
    auto each = one.in_flight.upper_bound(front->place);
    if (each != one.in_flight.begin()) {
      --each;
    }
    for (; each != one.in_flight.end(); ++each) {
      const auto entry = buffer.find_from(each->first);  // a part of it may have been taken
      if (entry && entry->place < each->first + each->second.amount.frames &&
          !needed_by_holders(range_of(*entry))) {
        return entry->place;
      }
    }
  }
  return std::nullopt;
}

void Consumers::stays(const PlaceRange& range) {
  scan_from_ = std::min(scan_from_, range.first);
  if (anyone_holds() && may_make_room(range)) {
    left_over_.insert(range.first);
  }
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

std::vector<BufferedBatch> Consumers::read(Position& one, FrameBuffer& buffer,
                                           std::size_t max_bytes) {
  std::vector<BufferedBatch> batches;
  std::size_t bytes = 0;
  // Returns whether there is room for more.
  const auto take = [&](const FrameBuffer::Entry& entry) {
    if (!batches.empty() && bytes + entry.batch->bytes() > max_bytes) {
      return false;
    }
    bytes += entry.batch->bytes();
    batches.push_back({entry.place, entry.batch->share()});
    one.read(entry.place, *entry.batch);
    if (range_of(entry).end() == buffer.end_place()) {
      buffer.seal();  // what comes next is not joined to what has been read
    }
    return batches.size() < most_batches;
  };
  for (const PlaceRange& hole : one.unread.ranges()) {
    auto entry = buffer.find_from(hole.first);
    while (entry && entry->place < hole.end()) {
      if (!take(*entry)) {
        return batches;
      }
      entry = buffer.find_from(range_of(*entry).end());
    }
  }
  while (const auto entry = buffer.find_from(one.next_place)) {
    if (!take(*entry)) {
      return batches;
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
  const Depth& amount = entry->second.amount;
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

Resumed Consumers::resume(Id id, const FrameBuffer& buffer) {
  Position& one = consumers_.at(id);
  Resumed resumed{.attempts = one.attempts, .batches = {}};
  const PlaceSet attempted = places_of(one.attempts);
  for (const PlaceRange& range : one.unread.ranges()) {
    auto entry = buffer.find_from(range.first);
    while (entry && entry->place < std::min(range.end(), attempted.end())) {
      if (attempted.intersects(range_of(*entry))) {
        resumed.batches.push_back({entry->place, entry->batch->share()});
        one.read(entry->place, *entry->batch);
      }
      entry = buffer.find_from(range_of(*entry).end());
    }
  }
  return resumed;
}

std::vector<ConsumerStats> Consumers::stats(const FrameBuffer& buffer) const {
  std::vector<ConsumerStats> all;
  for (const Position& one : consumers_) {
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
    std::optional<FrameBuffer::Entry> first;
    for (const PlaceRange& hole : one.unread.ranges()) {
      first = buffer.find_from(hole.first);
      if (first && first->place < hole.end()) {
        break;
      }
      first.reset();
    }
    if (!first) {
      first = buffer.find_from(one.next_place);
    }
    if (first) {
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
        unread.add(range);  // its consumer has vanished without a word
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
  }
}

}  // namespace meridian::inline v1
