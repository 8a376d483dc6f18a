#include "aggregator/consumers.hpp"

#include <algorithm>
#include <utility>

namespace meridian::inline v2::aggregator {

namespace {

/// The most batches in one read: a few hundred microseconds' work.
constexpr std::size_t most_batches = 1024;

/// A read ends once it has moved this many octets to memory of their own: a millisecond's work.
constexpr std::size_t most_moved = 4 * 1024 * 1024;

}  // namespace

Consumers::Consumers(const std::vector<ConsumerOptions>& options) {
  for (const ConsumerOptions& each : options) {
    members_.push_back({.position = Position(each)});
    holders_ += each.hold ? 1 : 0;
  }
}

boost::system::result<Consumers::Id> Consumers::claim(std::string_view name,
                                                      std::weak_ptr<const void> claim) {
  const auto found = std::ranges::find(
      members_, name, [](const Member& one) -> std::string_view { return one.position.name(); });
  if (found == members_.end()) {
    return error_code(Errc::consumer_unknown);
  }
  if (!found->claim.expired()) {
    return error_code(Errc::consumer_claimed);
  }
  found->claim = std::move(claim);
  found->waiting.reset();
  all_stay(found->position.unread_all_again());
  return static_cast<Id>(found - members_.begin());
}

void Consumers::adding(const Amount& amount) {
  for (Member& one : members_) {
    one.position.adding(amount);
  }
}

void Consumers::refused(const Amount& amount) {
  for (Member& one : members_) {
    one.position.refused(amount);
  }
}

void Consumers::left(const PlaceRange& range) {
  left_over_.forget(range);
  in_flight_only_.forget(range);
}

void Consumers::removed(const PlaceRange& range, std::uint64_t bytes, Skip why) {
  left(range);
  for (Member& one : members_) {
    one.position.removed(range, bytes, why);
  }
}

bool Consumers::have_all(const PlaceRange& range) const {
  return !members_.empty() && std::ranges::none_of(members_, [&](const Member& one) {
    return one.position.needs(range);
  });
}

bool Consumers::needed_by_holders(const PlaceRange& range) const {
  return std::ranges::any_of(members_, [&](const Member& one) {
    return one.position.holds() && one.position.needs(range);
  });
}

bool Consumers::in_flight_anywhere(const PlaceRange& range) const {
  return std::ranges::any_of(members_,
                             [&](const Member& one) { return one.position.has_in_flight(range); });
}

std::optional<std::uint64_t> Consumers::expendable(const FrameBuffer& buffer) {
  const auto is_left_over = [&](const PlaceRange& range) {
    return !needed_by_holders(range) && !in_flight_anywhere(range);
  };
  if (const auto place = left_over_.oldest(buffer, is_left_over)) {
    return place;
  }
  if (!members_.empty() && !anyone_holds()) {
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

void Consumers::all_stay(const std::vector<PlaceRange>& ranges) {
  for (const PlaceRange& range : ranges) {
    stays(range);
  }
}

void Consumers::came_back(const PlaceRange& range) {
  for (Member& one : members_) {
    one.position.came_back(range);
  }
  stays(range);
}

void Consumers::wait(Id id, std::size_t max_bytes, ReadReply reply) {
  members_.at(id).waiting.emplace(Waiting{.reply = std::move(reply), .max_bytes = max_bytes});
}

void Consumers::serve(FrameBuffer& buffer) {
  for (Member& one : members_) {
    if (!one.waiting) {
      continue;
    }
    std::vector<BufferedBatch> batches = read(one.position, buffer, one.waiting->max_bytes);
    if (batches.empty()) {
      continue;
    }
    Waiting waiting = *std::exchange(one.waiting, std::nullopt);
    if (const auto undelivered = std::move(waiting.reply).send(std::move(batches))) {
      for (const BufferedBatch& each : *undelivered) {
        stays(one.position.unread_again(each.place));
      }
    }
  }
}

void Consumers::note_read(Position& one, const FrameBuffer::Entry& entry) {
  const PlaceRange places = entry.places();
  one.note_read(entry);
  read_until_ = std::max(read_until_, places.end());
  stays(places);
}

std::vector<BufferedBatch> Consumers::read(Position& one, FrameBuffer& buffer,
                                           std::size_t max_bytes) {
  std::vector<BufferedBatch> batches;
  std::size_t bytes = 0;
  std::size_t moved = 0;
  while (batches.size() < most_batches && moved < most_moved) {
    const auto entry = one.next_unread(buffer);
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
  return members_.at(id).position.acknowledge(range);
}

void Consumers::suspend(Id id, std::vector<Attempt> attempts) {
  Member& one = members_.at(id);
  one.waiting.reset();
  all_stay(one.position.suspend(std::move(attempts)));
}

Resumed Consumers::resume(Id id, FrameBuffer& buffer) {
  Position& one = members_.at(id).position;
  Resumed resumed{.attempts = one.attempts(), .batches = {}};
  std::size_t moved = 0;
  for (const FrameBuffer::Entry& entry : one.unread_attempts(buffer)) {
    resumed.batches.push_back({entry.place, buffer.hand_out(entry.place, moved)});
    note_read(one, entry);
  }
  return resumed;
}

std::vector<ConsumerStats> Consumers::stats(const FrameBuffer& buffer) {
  std::vector<ConsumerStats> all;
  for (Member& one : members_) {
    all.push_back(one.position.stats(buffer));
  }
  return all;
}

std::vector<SavedConsumer> Consumers::saved() const {
  std::vector<SavedConsumer> all;
  for (const Member& one : members_) {
    all.push_back(one.position.saved());
  }
  return all;
}

void Consumers::restore(const std::vector<SavedConsumer>& saved,
                        const std::vector<BufferedBatch>& batches) {
  for (Member& one : members_) {
    one.position.restore(saved, batches);
  }
}

}  // namespace meridian::inline v2::aggregator
