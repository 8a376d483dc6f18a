/// What a sink has read and not delivered yet: which message goes next, and what is done.
#pragma once

#include "sink/message.hpp"
#include "sink/nats_publisher.hpp"

#include <meridian/aggregator.hpp>
#include <meridian/consumer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace meridian::sink {

/// Cuts batches into messages of one origin, and gives them out one at a time for each origin, many
/// origins at a time. So the frames of an origin are stored in their order whatever is lost on the
/// way: the next message goes when the one before is acknowledged. What waits meanwhile goes
/// together, so that a slow way has large messages.
///
/// A message has the same frames and the same id each time it is tried, also after a restart. The
/// id is made of the sink, the epoch in which it was first tried and the places of its first and
/// last frame. The epoch is another one after each start: a saved state may be taken up twice.
///
/// No I/O and no clock. Not thread-safe. Bounds: `room`; besides, in batches of several origins
/// their octets are copied.
class Outbox {
 public:
  using Clock = std::chrono::steady_clock;

  struct Limits {
    std::size_t max_in_flight_bytes = 0;  ///< but one message may always go
    std::size_t max_message_bytes = 0;    ///< but one frame may always be a message
  };

  Outbox(std::string name, std::uint64_t epoch, const Limits& limits);

  /// Smaller messages from now on, or larger ones.
  void set_max_message_bytes(std::size_t bytes) noexcept { limits_.max_message_bytes = bytes; }

  /// How many octets may be read now; 0 while enough waits.
  [[nodiscard]] std::size_t room() const noexcept;

  /// Where it throws, nothing has changed, so it may be called again with the same batch.
  void add(const BufferedBatch& read);

  /// What was attempted before a restart, before anything else is added. Returns the batches of
  /// which nothing is left to be delivered.
  [[nodiscard]] std::vector<PlaceRange> resume(const Resumed& resumed);

  struct Publication {
    Ticket ticket = 0;
    const Message* message = nullptr;  ///< until its outcome is told
    unsigned tries = 0;                ///< with this one
    bool may_be_stored = false;        ///< nobody knows what became of a try before
    /// It was said to be stored there, in answer to the last try. See `doubt`.
    std::optional<std::uint64_t> said_to_be_at{};
  };
  /// What is known of a message that was refused.
  enum class Fate : std::uint8_t {
    not_stored,  ///< the server has said so
    unknown,     ///< it may be stored, or may yet be
  };

  /// A message that is to go now; nothing if there is none, or no room.
  [[nodiscard]] std::optional<Publication> next(Clock::time_point now);

  /// When one that was refused may be tried again, at the earliest.
  [[nodiscard]] std::optional<Clock::time_point> next_retry() const;

  /// The message has arrived. Returns the batches of which all frames have.
  [[nodiscard]] std::vector<PlaceRange> acknowledged(Ticket ticket);

  /// It may be tried again from `retry_at` on.
  void refused(Ticket ticket, Clock::time_point retry_at, Fate fate);

  /// It is in flight and said to be stored at that sequence of the stream already, which is not
  /// believed: its id may be that of another message. To be refused as any other, and looked for.
  void doubt(Ticket ticket, std::uint64_t sequence);

  /// It is in flight, and not stored under its id, which is of no more use: it is another message
  /// from now on, tried for the first time. `epoch` is one of its own.
  void rename(Ticket ticket, std::uint64_t epoch);

  /// It is larger than what is taken, and not stored: its frames go in smaller ones if they can.
  void refused_as_too_large(Ticket ticket, Clock::time_point retry_at);

  /// All that were refused may be tried now.
  void retry_now();

  [[nodiscard]] std::size_t in_flight_messages() const noexcept { return tickets_.size(); }
  [[nodiscard]] std::size_t in_flight_bytes() const noexcept { return in_flight_bytes_; }

  /// Whether there are frames whose message was refused, and which have not arrived since.
  [[nodiscard]] bool anything_refused() const noexcept { return refused_lanes_ > 0; }

  /// A message on its way, and how often it has been tried.
  [[nodiscard]] const Message& message_of(Ticket ticket) const;
  [[nodiscard]] unsigned tries_of(Ticket ticket) const;
  [[nodiscard]] bool may_be_stored(Ticket ticket) const;

  /// For `Consumer::suspend`: what must be tried in the same form again, and what is left of
  /// batches of which a part has arrived.
  [[nodiscard]] std::vector<Attempt> attempts() const;

 private:
  /// A part of a batch, of one origin.
  struct Piece {
    std::uint64_t place = 0;  // of the batch
    std::uint64_t skip = 0;   // frames of this origin in the batch that stand before it
    FrameBatch frames;
  };
  struct Sending {
    Message message;  // its parts are those of the pieces
    std::vector<Piece> pieces;
    std::uint64_t epoch = 0;
    Ticket ticket = 0;
    unsigned tries = 0;
    bool may_be_stored = false;
    std::optional<std::uint64_t> said_to_be_at{};
  };
  struct Lane {
    std::deque<Piece> pending;
    std::optional<Sending> sending;
    std::uint64_t refused_frames = 0;  // of the first ones, that have not arrived since
    std::size_t max_message_bytes = std::numeric_limits<std::size_t>::max();
  };
  /// Which frames of a batch are of an origin: their indices in it, ascending.
  using Indices = std::vector<std::uint32_t>;
  struct Batch {
    PlaceRange places;
    std::map<Origin, Indices> mixed;  // empty where all frames are of one origin
    std::uint64_t undelivered = 0;    // frames
    bool touched = false;             // some of them are, or may be
  };
  using Parts = std::map<Origin, FrameBatch>;

  [[nodiscard]] static Parts divide(const FrameBatch& batch);
  [[nodiscard]] Batch& take_up(const BufferedBatch& read, const Parts& parts);
  [[nodiscard]] static std::vector<Piece> cut(Piece whole, std::size_t max_bytes);
  void add_piece(Piece whole);
  /// Takes out again what is there of a batch whose frames are of these origins, and which was
  /// being added.
  void take_back(std::uint64_t place, const Parts& parts) noexcept;
  void compose(Lane& lane);
  [[nodiscard]] PlaceRange places_of(const Piece& piece) const;
  [[nodiscard]] std::string id_of(const std::vector<Piece>& pieces, std::uint64_t epoch) const;
  [[nodiscard]] Sending sending_of(std::vector<Piece> pieces, std::uint64_t epoch);
  void resume(const Attempt& attempt, const std::map<std::uint64_t, Parts>& parts);
  [[nodiscard]] std::optional<Piece> piece_in(const PlaceRange& range, const Batch& batch,
                                              const FrameBatch& frames) const;
  [[nodiscard]] Lane& lane_of(Ticket ticket);

  std::string name_;
  std::uint64_t epoch_;
  Limits limits_;
  std::map<std::uint64_t, Batch> batches_;  // by place
  std::map<Origin, Lane> lanes_;
  std::deque<Origin> ready_;                          // of lanes that have something to go
  std::multimap<Clock::time_point, Origin> refused_;  // of lanes that wait for another try
  std::unordered_map<Ticket, Origin> tickets_;        // in flight
  std::size_t refused_lanes_ = 0;                     // lanes with refused frames
  std::size_t held_bytes_ = 0;
  std::size_t in_flight_bytes_ = 0;
  Ticket last_ticket_ = 0;
};

}  // namespace meridian::sink
