// How an outbox survives a restart: the attempts that it leaves to the next start, and how it takes
// them up then.
#include "sink/outbox.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace meridian::sink {

std::vector<Attempt> Outbox::attempts() const {
  // Includes untouched pieces that precede a touched batch. If the sink read these again after the
  // restart, they would come after that batch.
  std::uint64_t last_touched = 0;
  for (const auto& [place, batch] : batches_) {
    last_touched = batch.touched ? place : last_touched;
  }
  std::vector<Attempt> attempts;
  for (const auto& [origin, queue] : queues_) {
    if (queue.sending) {
      Attempt& attempt = attempts.emplace_back(origin);
      for (const Piece& piece : queue.sending->pieces) {
        attempt.ranges.push_back(places_of(piece));
      }
      attempt.frames = queue.sending->message.frames;
      attempt.epoch = queue.sending->tries > 0 ? queue.sending->epoch : 0;
    }
    for (const Piece& piece : queue.pending) {
      if (piece.place <= last_touched) {
        attempts.push_back({origin, {places_of(piece)}, piece.frames.frames()});
      }
    }
  }
  return attempts;
}

std::vector<PlaceRange> Outbox::resume(const Resumed& resumed) {
  std::map<std::uint64_t, Parts> parts;
  for (const BufferedBatch& each : resumed.batches) {
    const Parts& of_batch = parts.emplace(each.place, divide(each.batch)).first->second;
    take_up(each, of_batch).touched = true;
  }
  for (const Attempt& attempt : resumed.attempts) {
    resume(attempt, parts);
  }
  // The stream stored all frames of these batches that are part of no attempt before the restart.
  std::vector<PlaceRange> done;
  std::erase_if(batches_, [&done](const auto& each) {
    if (each.second.undelivered == 0) {
      done.push_back(each.second.places);
    }
    return each.second.undelivered == 0;
  });
  return done;
}

/// The part of `frames`, which are those of one origin in `batch`, that lies in `range`. No value
/// if there is none.
std::optional<Outbox::Piece> Outbox::piece_in(const PlaceRange& range, const Batch& batch,
                                              const FrameBatch& frames) const {
  const std::uint64_t place = batch.places.first;
  const auto count_before = [&](std::uint64_t end) -> std::uint64_t {
    const std::uint64_t index = std::clamp(end, place, batch.places.end()) - place;
    if (batch.mixed.empty()) {
      return index;
    }
    const Indices& indices = batch.mixed.at(origin_of(frames));
    return static_cast<std::uint64_t>(std::ranges::lower_bound(indices, index) - indices.begin());
  };
  const std::uint64_t skip = count_before(range.first);
  const std::uint64_t count = count_before(range.end()) - skip;
  if (count == 0) {
    return std::nullopt;
  }
  FrameBatch wanted = frames.share();
  if (skip > 0) {
    std::ignore = wanted.split_front(static_cast<std::uint32_t>(skip));
  }
  if (count < wanted.frames()) {
    wanted = wanted.split_front(static_cast<std::uint32_t>(count));
  }
  return Piece{place, skip, std::move(wanted)};
}

void Outbox::resume(const Attempt& attempt, const std::map<std::uint64_t, Parts>& parts) {
  std::vector<Piece> pieces;
  std::uint64_t found = 0;
  for (const PlaceRange& range : attempt.ranges) {
    // Since the attempt, batches may have been cut, or drained in part.
    auto each = batches_.upper_bound(range.first);
    if (each != batches_.begin()) {
      --each;
    }
    for (; each != batches_.end() && each->first < range.end(); ++each) {
      Batch& batch = each->second;
      const Parts& of_batch = parts.at(each->first);
      const auto frames = of_batch.find(attempt.origin);
      if (frames == of_batch.end()) {
        continue;
      }
      if (auto piece = piece_in(range, batch, frames->second)) {
        found += piece->frames.frames();
        batch.undelivered += piece->frames.frames();
        pieces.push_back(*std::move(piece));
      }
    }
  }
  if (pieces.empty()) {
    return;
  }
  OriginQueue& queue = queues_[attempt.origin];
  // A message that was in flight is the first of its origin. It goes unchanged if all of its frames
  // are still there.
  const bool was_tried = attempt.epoch != 0;
  if (was_tried && found == attempt.frames && !queue.sending && queue.pending.empty()) {
    for (const Piece& piece : pieces) {
      held_bytes_ += piece.frames.bytes();
    }
    queue.sending.emplace(sending_of(std::move(pieces), attempt.epoch));
    queue.sending->tries = 1;
    queue.sending->may_be_stored = true;
    schedule_.make_ready(attempt.origin);
    return;
  }
  for (Piece& piece : pieces) {
    add_piece(std::move(piece));
  }
}

}  // namespace meridian::sink
