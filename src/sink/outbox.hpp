/// The frames that a sink has read and not delivered yet: which message goes next, and which
/// batches are done.
#pragma once

#include "sink/message.hpp"
#include "sink/schedule.hpp"
#include "sink/ticket.hpp"

#include <meridian/aggregator.hpp>
#include <meridian/consumer.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace meridian::sink {

/// Cuts batches into messages of one origin each. Many origins may have a message in flight, but
/// each origin only one: its next message goes once the previous one is acknowledged. So the stream
/// stores the frames of an origin in order, whatever is lost on the way. Frames that wait meanwhile
/// go together in one message, so a slow connection gets large messages.
///
/// A message has the same frames and the same id each time it is tried, even after a restart,
/// unless it is renamed, divided since it is too large, or drained in part. The id consists of the
/// sink's name, the epoch in which the message was first tried, the places of its first and last
/// frame, and its origin. Each start has a new epoch, because a saved state may be restored twice.
///
/// Does no I/O and reads no clock. Not thread-safe. Bounds: see `room`. In addition, the outbox
/// copies the octets of batches with several origins.
class Outbox {
 public:
  using Clock = Schedule::Clock;

  struct Limits {
    std::size_t max_in_flight_bytes = 0;  ///< except that one message of any size may go alone
    std::size_t max_message_bytes = 0;    ///< except that one frame of any size may be a message
  };

  Outbox(std::string name, std::uint64_t epoch, const Limits& limits);

  /// Sets another limit, for messages that are composed from now on.
  void set_max_message_bytes(std::size_t bytes) noexcept { limits_.max_message_bytes = bytes; }

  /// How many octets the sink may read now. 0 while enough frames wait.
  [[nodiscard]] std::size_t room() const noexcept;

  /// Adds a batch that the sink has read. If this throws, nothing has changed, and the sink may
  /// call it again with the same batch.
  void add(const BufferedBatch& read);

  /// Takes up the attempts from before a restart. Must be called before `add`. Returns the batches
  /// of which nothing is left to deliver.
  [[nodiscard]] std::vector<PlaceRange> resume(const Resumed& resumed);

  struct Publication {
    Ticket ticket = 0;
    const Message* message = nullptr;  ///< valid until the outbox is told its outcome
    unsigned tries = 0;                ///< including this one
    bool may_be_stored = false;        ///< the outcome of an earlier try is unknown
    /// The sequence at which the server claimed to have the message: see `doubt`. No value if no
    /// such claim is in doubt.
    std::optional<std::uint64_t> said_to_be_at{};
  };
  /// What is known of a message that was refused.
  enum class Fate : std::uint8_t {
    not_stored,  ///< the server has said that it has not stored the message
    unknown,     ///< the server may have stored it, or may still do so
  };

  /// The next message to publish. No value if none is ready, or if it does not fit into the limit
  /// on what is in flight.
  [[nodiscard]] std::optional<Publication> next(Clock::time_point now);

  /// The earliest time at which a refused message may be tried again. No value if no refused
  /// message waits for its time.
  [[nodiscard]] std::optional<Clock::time_point> next_retry() const {
    return schedule_.next_retry();
  }

  /// The stream has the message. Returns the batches whose frames the stream now has.
  [[nodiscard]] std::vector<PlaceRange> acknowledged(Ticket ticket);

  /// The message was refused, and may be tried again from `retry_at` on.
  void refused(Ticket ticket, Clock::time_point retry_at, Fate fate);

  /// The server claims that this message, which is in flight, was already stored in the stream at
  /// `sequence`. The caller doubts it, since another message may have the same id. The caller also
  /// calls `refused`, and looks at that sequence for the message before the next try.
  void doubt(Ticket ticket, std::uint64_t sequence);

  /// Gives a message in flight a new id, because its old id cannot get it stored: the server takes
  /// it for another message. From now on it is a new message on its first try. No other message may
  /// use `epoch`.
  void rename(Ticket ticket, std::uint64_t epoch);

  /// The server refused the message because it is too large, and has not stored it. If the message
  /// has more than one frame, the outbox divides it into smaller messages.
  void refused_as_too_large(Ticket ticket, Clock::time_point retry_at);

  /// From now on every refused message may be tried.
  void retry_now() { schedule_.retry_now(); }

  [[nodiscard]] std::size_t in_flight_messages() const noexcept { return schedule_.in_flight(); }
  [[nodiscard]] std::size_t in_flight_bytes() const noexcept { return in_flight_bytes_; }

  /// Whether any frames of a refused message are not acknowledged yet.
  [[nodiscard]] bool anything_refused() const noexcept { return refused_queues_ > 0; }

  /// A message in flight, how often it has been tried, and whether an earlier try may be stored.
  [[nodiscard]] const Message& message_of(Ticket ticket) const;
  [[nodiscard]] unsigned tries_of(Ticket ticket) const;
  [[nodiscard]] bool may_be_stored(Ticket ticket) const;

  /// For `Consumer::suspend`: the messages that must be tried again unchanged, and the rest of each
  /// batch of which the stream has a part.
  [[nodiscard]] std::vector<Attempt> attempts() const;

 private:
  /// Frames of one origin in a batch.
  struct Piece {
    std::uint64_t place = 0;  // of the batch
    std::uint64_t skip = 0;   // frames of this origin that precede this piece in the batch
    FrameBatch frames;

    [[nodiscard]] Piece share() const { return {place, skip, frames.share()}; }
  };
  struct Sending {
    Message message;  // shares the octets of the pieces
    std::vector<Piece> pieces;
    std::uint64_t epoch = 0;
    unsigned tries = 0;
    bool may_be_stored = false;
    std::optional<std::uint64_t> said_to_be_at{};
  };
  struct OriginQueue {
    std::deque<Piece> pending;
    std::optional<Sending> sending;
    std::uint64_t refused_frames = 0;  // leading frames: refused, and not acknowledged yet
    std::size_t max_message_bytes = std::numeric_limits<std::size_t>::max();
  };
  /// The indices, in ascending order, of the frames of one origin in a batch.
  using Indices = std::vector<std::uint32_t>;
  struct Batch {
    PlaceRange places;
    std::map<Origin, Indices> mixed;  // empty if all frames are of one origin
    std::uint64_t undelivered = 0;    // frames
    bool touched = false;             // some frames are delivered, or may be
  };
  using Parts = std::map<Origin, FrameBatch>;

  [[nodiscard]] static Parts divide(const FrameBatch& batch);
  [[nodiscard]] Batch& take_up(const BufferedBatch& read, const Parts& parts);
  [[nodiscard]] static std::vector<Piece> cut(Piece whole, std::size_t max_bytes);
  void add_piece(Piece whole);
  /// Undoes an `add` that failed: removes whatever it has added of the batch at `place`. `parts`
  /// has the origins of that batch.
  void take_back(std::uint64_t place, const Parts& parts) noexcept;
  void compose(OriginQueue& queue);
  [[nodiscard]] PlaceRange places_of(const Piece& piece) const;
  [[nodiscard]] std::string id_of(const std::vector<Piece>& pieces, std::uint64_t epoch) const;
  [[nodiscard]] Sending sending_of(std::vector<Piece> pieces, std::uint64_t epoch);
  void resume(const Attempt& attempt, const std::map<std::uint64_t, Parts>& parts);
  [[nodiscard]] std::optional<Piece> piece_in(const PlaceRange& range, const Batch& batch,
                                              const FrameBatch& frames) const;
  [[nodiscard]] OriginQueue& queue_of(Ticket ticket) {
    return queues_.at(schedule_.origin_of(ticket));
  }
  [[nodiscard]] const OriginQueue& queue_of(Ticket ticket) const {
    return queues_.at(schedule_.origin_of(ticket));
  }

  std::string name_;
  std::uint64_t epoch_;
  Limits limits_;
  std::map<std::uint64_t, Batch> batches_;  // by place
  std::map<Origin, OriginQueue> queues_;
  Schedule schedule_;               // of the origins in queues_
  std::size_t refused_queues_ = 0;  // queues with refused frames
  std::size_t held_bytes_ = 0;      // of all frames that are not delivered yet
  std::size_t in_flight_bytes_ = 0;
};

}  // namespace meridian::sink
