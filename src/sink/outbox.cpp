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

}  // namespace

Outbox::Outbox(std::string name, std::uint64_t epoch, const Limits& limits)
    : name_(std::move(name)), epoch_(epoch), limits_(limits) {}

std::size_t Outbox::room() const noexcept {
  // As many octets may wait as may be in flight, so that the next messages are full.
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
  const std::size_t ready_before = schedule_.ready();
  const std::size_t held_before = held_bytes_;
  try {
    take_up(read, parts).undelivered = read.batch.frames();
    for (auto& [origin, frames] : parts) {
      add_piece({read.place, 0, std::move(frames)});
    }
  } catch (...) {
    take_back(read.place, parts);
    schedule_.keep_ready(ready_before);
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
    schedule_.make_ready(origin);
  }
  std::ranges::move(cut(std::move(whole), limits_.max_message_bytes),
                    std::back_inserter(queue.pending));
}

void Outbox::compose(OriginQueue& queue) {
  const std::size_t most = std::min(limits_.max_message_bytes, queue.max_message_bytes);
  std::vector<Piece> pieces;
  std::size_t bytes = 0;
  for (const Piece& piece : queue.pending) {
    bytes += piece.frames.bytes();
    if (!pieces.empty() && bytes > most) {
      break;
    }
    pieces.push_back(piece.share());
  }
  const auto count = static_cast<std::ptrdiff_t>(pieces.size());
  queue.sending.emplace(sending_of(std::move(pieces), epoch_));
  queue.pending.erase(queue.pending.begin(), queue.pending.begin() + count);
}

/// The places from the first frame of the piece to its last. They are the same however the batch is
/// cut.
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
  return fmt::format("{}.{:x}.{:x}.{:x}.{}.{}", name_, epoch, places_of(pieces.front()).first,
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
  const std::optional<Origin> origin = schedule_.front(now);
  if (!origin) {
    return std::nullopt;
  }
  OriginQueue& queue = queues_.at(*origin);
  if (!queue.sending) {
    compose(queue);
  }
  Sending& sending = *queue.sending;
  const std::size_t bytes = sending.message.bytes;
  if (in_flight_bytes_ > 0 && in_flight_bytes_ + bytes > limits_.max_in_flight_bytes) {
    return std::nullopt;
  }
  const Ticket ticket = schedule_.send_front();
  in_flight_bytes_ += bytes;
  ++sending.tries;
  return Publication{.ticket = ticket,
                     .message = &sending.message,
                     .tries = sending.tries,
                     .may_be_stored = sending.may_be_stored,
                     .said_to_be_at = sending.said_to_be_at};
}

const Message& Outbox::message_of(Ticket ticket) const {
  return queue_of(ticket).sending->message;
}

unsigned Outbox::tries_of(Ticket ticket) const {
  return queue_of(ticket).sending->tries;
}

bool Outbox::may_be_stored(Ticket ticket) const {
  return queue_of(ticket).sending->may_be_stored;
}

std::vector<PlaceRange> Outbox::acknowledged(Ticket ticket) {
  const Origin origin = schedule_.origin_of(ticket);
  OriginQueue& queue = queue_of(ticket);
  std::vector<PlaceRange> done;
  done.reserve(queue.sending->pieces.size());
  if (queue.pending.empty()) {
    schedule_.settle(ticket);
  } else {
    schedule_.settle_with_more(ticket);
  }
  // From here on nothing throws.
  const Sending sent = *std::exchange(queue.sending, std::nullopt);
  if (queue.refused_frames > 0) {
    queue.refused_frames -= std::min<std::uint64_t>(queue.refused_frames, sent.message.frames);
    refused_queues_ -= queue.refused_frames == 0 ? 1 : 0;
  }
  in_flight_bytes_ -= sent.message.bytes;
  held_bytes_ -= sent.message.bytes;
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
  }
  return done;
}

void Outbox::refused(Ticket ticket, Clock::time_point retry_at, Fate fate) {
  OriginQueue& queue = queue_of(ticket);
  schedule_.refuse(ticket, retry_at);  // first: the rest does not throw
  queue.sending->may_be_stored |= fate == Fate::unknown;
  in_flight_bytes_ -= queue.sending->message.bytes;
  refused_queues_ += queue.refused_frames == 0 ? 1 : 0;
  queue.refused_frames =
      std::max<std::uint64_t>(queue.refused_frames, queue.sending->message.frames);
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
  const Message& message = queue.sending->message;
  if (message.frames == 1) {
    refused(ticket, retry_at, Fate::not_stored);
    return;
  }
  const std::size_t half = std::max<std::size_t>(1, message.bytes / 2);
  std::vector<Piece> smaller;
  for (const Piece& piece : queue.sending->pieces) {
    std::ranges::move(cut(piece.share(), half), std::back_inserter(smaller));
  }
  queue.pending.insert(queue.pending.begin(), std::make_move_iterator(smaller.begin()),
                       std::make_move_iterator(smaller.end()));
  try {
    refused(ticket, retry_at, Fate::not_stored);
  } catch (...) {
    queue.pending.erase(queue.pending.begin(),
                        queue.pending.begin() + static_cast<std::ptrdiff_t>(smaller.size()));
    throw;
  }
  queue.max_message_bytes = half;
  queue.sending.reset();
}

}  // namespace meridian::sink
