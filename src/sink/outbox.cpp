#include "sink/outbox.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <tuple>
#include <utility>

namespace meridian::sink {

namespace {

constexpr std::uint64_t any_number = std::numeric_limits<std::uint64_t>::max();

Origin origin_of(const FrameBatch& frames) {
  return (*frames.begin()).header.origin;
}

}  // namespace

Outbox::Outbox(std::string name, std::uint64_t epoch, const Limits& limits)
    : name_(std::move(name)), epoch_(epoch), limits_(limits) {}

std::size_t Outbox::room() const noexcept {
  // As much may wait as may be in flight, so that the next messages are full.
  const std::size_t most = 2 * limits_.max_in_flight_bytes;
  return most - std::min(held_bytes_, most);
}

Outbox::Parts Outbox::divide(const FrameBatch& batch) {
  Parts parts;
  for (FrameBatch& part : batch.divide_by_origin()) {
    const Origin origin = origin_of(part);
    parts.emplace(origin, std::move(part));
  }
  return parts;
}

Outbox::Batch& Outbox::take_up(const BufferedBatch& read, const Parts& parts) {
  Batch& batch = batches_[read.place];
  batch.places = read.places();
  if (parts.size() > 1) {
    std::uint32_t index = 0;
    for (const FrameView frame : read.batch) {
      batch.mixed[frame.header.origin].push_back(index++);
    }
  }
  return batch;
}

void Outbox::add(const BufferedBatch& read) {
  Parts parts = divide(read.batch);
  const std::size_t ready_before = ready_.size();
  const std::size_t held_before = held_bytes_;
  try {
    take_up(read, parts).undelivered = read.batch.frames();
    for (auto& [origin, frames] : parts) {
      add_piece({read.place, 0, std::move(frames)});
    }
  } catch (...) {
    take_back(read.place, parts);
    while (ready_.size() > ready_before) {
      ready_.pop_back();
    }
    held_bytes_ = held_before;
    throw;
  }
}

void Outbox::take_back(std::uint64_t place, const Parts& parts) noexcept {
  batches_.erase(place);
  for (const auto& [origin, moved] : parts) {
    const auto found = queues_.find(origin);
    if (found == queues_.end()) {
      continue;
    }
    std::deque<Piece>& pending = found->second.pending;
    while (!pending.empty() && pending.back().place == place) {
      pending.pop_back();
    }
    if (pending.empty() && !found->second.sending) {
      queues_.erase(found);
    }
  }
}

std::vector<Outbox::Piece> Outbox::cut(Piece whole, std::size_t max_bytes) {
  std::vector<Piece> pieces;
  for (;;) {
    const std::uint32_t fitting = whole.frames.leading_frames_within(any_number, max_bytes);
    const std::uint32_t count = std::max(1U, fitting);
    if (count == whole.frames.frames()) {
      pieces.push_back(std::move(whole));
      return pieces;
    }
    pieces.push_back({whole.place, whole.skip, whole.frames.split_front(count)});
    whole.skip += count;
  }
}

void Outbox::add_piece(Piece whole) {
  const Origin origin = origin_of(whole.frames);
  held_bytes_ += whole.frames.bytes();
  OriginQueue& queue = queues_[origin];
  if (queue.pending.empty() && !queue.sending) {
    ready_.push_back(origin);
  }
  std::ranges::move(cut(std::move(whole), limits_.max_message_bytes),
                    std::back_inserter(queue.pending));
}

void Outbox::compose(OriginQueue& queue) {
  const std::size_t most = std::min(limits_.max_message_bytes, queue.max_message_bytes);
  std::vector<Piece> pieces;
  std::size_t bytes = 0;
  while (!queue.pending.empty()) {
    const std::size_t more = queue.pending.front().frames.bytes();
    if (!pieces.empty() && bytes + more > most) {
      break;
    }
    bytes += more;
    pieces.push_back(std::move(queue.pending.front()));
    queue.pending.pop_front();
  }
  queue.sending.emplace(sending_of(std::move(pieces), epoch_));
}

/// From the first frame of the piece to its last: the same however the batch is cut.
PlaceRange Outbox::places_of(const Piece& piece) const {
  const Batch& batch = batches_.at(piece.place);
  std::uint64_t first = piece.skip;
  std::uint64_t last = piece.skip + piece.frames.frames() - 1;
  if (!batch.mixed.empty()) {
    const Indices& indices = batch.mixed.at(origin_of(piece.frames));
    first = indices.at(first);
    last = indices.at(last);
  }
  return {.first = piece.place + first, .frames = last - first + 1};
}

std::string Outbox::id_of(const std::vector<Piece>& pieces, std::uint64_t epoch) const {
  const Origin origin = origin_of(pieces.front().frames);
  return fmt::format(
      "{}.{:x}.{:x}.{:x}.{}.{}", name_, epoch, places_of(pieces.front()).first,
      places_of(pieces.back()).end() - 1, origin.satellite_id, origin.channel_id);
}

Outbox::Sending Outbox::sending_of(std::vector<Piece> pieces, std::uint64_t epoch) {
  std::vector<FrameBatch> parts;
  for (const Piece& piece : pieces) {
    batches_.at(piece.place).touched = true;
    parts.push_back(piece.frames.share());
  }
  std::string id = id_of(pieces, epoch);
  return {.message = make_message(std::move(id), std::move(parts)),
          .pieces = std::move(pieces),
          .epoch = epoch};
}

std::optional<Outbox::Publication> Outbox::next(Clock::time_point now) {
  while (!refused_.empty() && refused_.begin()->first <= now) {
    ready_.push_back(refused_.begin()->second);
    refused_.erase(refused_.begin());
  }
  if (ready_.empty()) {
    return std::nullopt;
  }
  const Origin origin = ready_.front();
  OriginQueue& queue = queues_.at(origin);
  if (!queue.sending) {
    compose(queue);
  }
  Sending& sending = *queue.sending;
  const std::size_t bytes = sending.message.bytes;
  if (in_flight_bytes_ > 0 && in_flight_bytes_ + bytes > limits_.max_in_flight_bytes) {
    return std::nullopt;
  }
  ready_.pop_front();
  sending.ticket = ++last_ticket_;
  in_flight_bytes_ += bytes;
  tickets_.emplace(sending.ticket, origin);
  ++sending.tries;
  return Publication{.ticket = sending.ticket,
                     .message = &sending.message,
                     .tries = sending.tries,
                     .may_be_stored = sending.may_be_stored,
                     .said_to_be_at = sending.said_to_be_at};
}

std::optional<Outbox::Clock::time_point> Outbox::next_retry() const {
  if (refused_.empty()) {
    return std::nullopt;
  }
  return refused_.begin()->first;
}

Outbox::OriginQueue& Outbox::queue_of(Ticket ticket) {
  return queues_.at(tickets_.at(ticket));
}

const Message& Outbox::message_of(Ticket ticket) const {
  return queues_.at(tickets_.at(ticket)).sending->message;
}

unsigned Outbox::tries_of(Ticket ticket) const {
  return queues_.at(tickets_.at(ticket)).sending->tries;
}

bool Outbox::may_be_stored(Ticket ticket) const {
  return queues_.at(tickets_.at(ticket)).sending->may_be_stored;
}

std::vector<PlaceRange> Outbox::acknowledged(Ticket ticket) {
  const Origin origin = tickets_.at(ticket);
  OriginQueue& queue = queue_of(ticket);
  const Sending sent = *std::exchange(queue.sending, std::nullopt);
  tickets_.erase(ticket);
  if (queue.refused_frames > 0) {
    queue.refused_frames -= std::min<std::uint64_t>(queue.refused_frames, sent.message.frames);
    refused_queues_ -= queue.refused_frames == 0 ? 1 : 0;
  }
  in_flight_bytes_ -= sent.message.bytes;
  held_bytes_ -= sent.message.bytes;
  std::vector<PlaceRange> done;
  for (const Piece& piece : sent.pieces) {
    const auto batch = batches_.find(piece.place);
    batch->second.undelivered -= piece.frames.frames();
    if (batch->second.undelivered == 0) {
      done.push_back(batch->second.places);
      batches_.erase(batch);
    }
  }
  if (queue.pending.empty()) {
    queues_.erase(origin);
  } else {
    ready_.push_back(origin);
  }
  return done;
}

void Outbox::refused(Ticket ticket, Clock::time_point retry_at, Fate fate) {
  const Origin origin = tickets_.at(ticket);
  OriginQueue& queue = queue_of(ticket);
  queue.sending->may_be_stored |= fate == Fate::unknown;
  in_flight_bytes_ -= queue.sending->message.bytes;
  tickets_.erase(ticket);
  refused_queues_ += queue.refused_frames == 0 ? 1 : 0;
  queue.refused_frames =
      std::max<std::uint64_t>(queue.refused_frames, queue.sending->message.frames);
  refused_.emplace(retry_at, origin);
}

void Outbox::doubt(Ticket ticket, std::uint64_t sequence) {
  queue_of(ticket).sending->said_to_be_at = sequence;
}

void Outbox::rename(Ticket ticket, std::uint64_t epoch) {
  Sending& sending = *queue_of(ticket).sending;
  sending.epoch = epoch;
  sending.message.id = id_of(sending.pieces, epoch);
  sending.tries = 1;
  sending.may_be_stored = false;
  sending.said_to_be_at.reset();
}

void Outbox::refused_as_too_large(Ticket ticket, Clock::time_point retry_at) {
  OriginQueue& queue = queue_of(ticket);
  refused(ticket, retry_at, Fate::not_stored);
  if (queue.sending->message.frames == 1) {
    return;
  }
  Sending sending = *std::exchange(queue.sending, std::nullopt);
  queue.max_message_bytes = std::max<std::size_t>(1, sending.message.bytes / 2);
  std::vector<Piece> smaller;
  for (Piece& piece : sending.pieces) {
    std::ranges::move(cut(std::move(piece), queue.max_message_bytes), std::back_inserter(smaller));
  }
  queue.pending.insert(queue.pending.begin(), std::make_move_iterator(smaller.begin()),
                       std::make_move_iterator(smaller.end()));
}

void Outbox::retry_now() {
  for (const auto& [retry_at, origin] : std::exchange(refused_, {})) {
    ready_.push_back(origin);
  }
}

std::vector<Attempt> Outbox::attempts() const {
  // Pieces that precede a touched batch are included. If they were read again after the restart,
  // they would come after it.
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
  // Frames of these batches that are part of no attempt were stored before the restart.
  std::vector<PlaceRange> done;
  std::erase_if(batches_, [&done](const auto& each) {
    if (each.second.undelivered == 0) {
      done.push_back(each.second.places);
    }
    return each.second.undelivered == 0;
  });
  return done;
}

/// The frames of one origin in a batch that are also in a range.
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
    // Batches may have been cut since, or drained in part.
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
  // A message that was in flight is the first of its origin. It goes unchanged if all of it is
  // there.
  const bool was_tried = attempt.epoch != 0;
  if (was_tried && found == attempt.frames && !queue.sending && queue.pending.empty()) {
    for (const Piece& piece : pieces) {
      held_bytes_ += piece.frames.bytes();
    }
    queue.sending.emplace(sending_of(std::move(pieces), attempt.epoch));
    queue.sending->tries = 1;
    queue.sending->may_be_stored = true;
    ready_.push_back(attempt.origin);
    return;
  }
  for (Piece& piece : pieces) {
    add_piece(std::move(piece));
  }
}

}  // namespace meridian::sink
