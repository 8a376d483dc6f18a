#include "aggregator/walk.hpp"

#include <iterator>
#include <utility>

namespace meridian::inline v2::aggregator {

namespace {

/// A step of a drain ends when it has moved or looked through this many octets: a millisecond's
/// work.
constexpr std::size_t max_octets_in_step = 4 * 1024 * 1024;

}  // namespace

bool PlacedBatches::Walk::reached_end() const {
  return entry_ == batches_.entries_.end() || entry_->first >= step_.until_place;
}

bool PlacedBatches::Walk::goes_on() const {
  return !reached_end() && frames_ < step_.max_frames && looked_at_ < step_.max_batches &&
         octets_ <= max_octets_in_step;
}

std::optional<BufferedBatch> PlacedBatches::Walk::look_at_next() {
  ++looked_at_;
  FrameBatch& batch = entry_->second;
  octets_ += is_known(batch, step_.satellite_id) ? 0 : batch.bytes();
  const Wanted wanted = wanted_of(batch, step_.satellite_id);
  if (wanted == Wanted::some && step_.keep_places) {
    cut();
    return std::nullopt;
  }
  next_place_ = entry_->first + batch.frames();
  if (wanted == Wanted::none) {
    leave();
    return std::nullopt;
  }
  const bool whole = wanted == Wanted::all && batch.frames() <= frames_left();
  BufferedBatch taken = whole ? take_whole() : take_part(wanted);
  frames_ += taken.batch.frames();
  return taken;
}

void PlacedBatches::Walk::leave() {
  octets_ += mates_.leave(entry_->second);
  ++entry_;
}

void PlacedBatches::Walk::note_parting(const FrameBatch& batch) {
  if (step_.satellite_id) {
    octets_ += mates_.take(batch);
  }
}

BufferedBatch PlacedBatches::Walk::take_whole() {
  const Entries::node_type node = batches_.entries_.extract(entry_++);
  FrameBatch& batch = node.mapped();
  note_parting(batch);
  if (step_.satellite_id || step_.room == KeptRoom::leased) {
    octets_ += batch.compact();  // other batches of its slab stay, or leave earlier
  }
  return {node.key(), std::move(batch)};
}

BufferedBatch PlacedBatches::Walk::take_part(Wanted wanted) {
  Entries::node_type node = batches_.entries_.extract(entry_++);
  const std::uint64_t place = node.key();
  FrameBatch& rest = node.mapped();
  note_parting(rest);
  octets_ += wanted == Wanted::some ? rest.bytes() : 0;
  FrameBatch part = wanted == Wanted::all
                        ? rest.split_front(static_cast<std::uint32_t>(frames_left()))
                        : sort_out(rest, *step_.satellite_id, frames_left());
  node.key() = place + part.frames();
  octets_ += rest.compact();
  if (step_.room == KeptRoom::leased) {
    octets_ += part.compact();
  }
  batches_.entries_.insert(entry_, std::move(node));
  return {place, std::move(part)};
}

/// Cuts a batch into parts of which the step wants all or nothing. The first one is looked at next.
void PlacedBatches::Walk::cut() {
  Entries& entries = batches_.entries_;
  const auto next = std::next(entry_);
  Entries::node_type node = entries.extract(entry_);
  FrameBatch& rest = node.mapped();
  note_parting(rest);
  const std::uint64_t first_place = node.key();
  for (const std::uint32_t count : stretches_of(rest, *step_.satellite_id, frames_left())) {
    if (count == rest.frames()) {
      break;
    }
    FrameBatch part = rest.split_front(count);
    octets_ += part.compact();
    entries.emplace_hint(next, node.key(), std::move(part));
    node.key() += count;
  }
  octets_ += rest.compact();
  entries.insert(next, std::move(node));
  entry_ = entries.find(first_place);
}

}  // namespace meridian::inline v2::aggregator
