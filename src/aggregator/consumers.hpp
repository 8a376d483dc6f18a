/// Those who read the buffer along, each at a position of its own.
#pragma once

#include "aggregator/frame_buffer.hpp"
#include "aggregator/place_set.hpp"
#include "aggregator/spare_places.hpp"

#include <meridian/aggregator.hpp>
#include <meridian/consumer.hpp>
#include <meridian/oneshot.hpp>
#include <meridian/positions.hpp>

#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace meridian::inline v1 {

/// Knows of each place in the buffer which consumers have yet to read it, and which have read it
/// and not acknowledged it. Frames that are lent or leased leave that as it is: they may come back.
///
/// Not thread-safe: owned by the aggregator, which tells what happens in the buffer.
class Consumers {
 public:
  using Id = std::size_t;
  using ReadReply = OneshotSender<std::vector<BufferedBatch>>;

  explicit Consumers(const std::vector<ConsumerOptions>& options);

  [[nodiscard]] bool empty() const noexcept { return consumers_.empty(); }

  // What happens in the buffer.

  /// Frames are about to be added.
  void adding(const Depth& amount);

  /// Some of them are refused instead.
  void refused(const Depth& amount);

  /// A batch that all of them have has left the buffer.
  void left(const PlaceRange& range);

  /// A batch, or a part of one, has left the buffer for good, whoever had it.
  void removed(const PlaceRange& range, std::uint64_t bytes, Skip why);

  /// Whether all consumers have acknowledged these frames, or have passed them. False where there
  /// are no consumers.
  [[nodiscard]] bool have_all(const PlaceRange& range) const;

  /// The oldest batch in the buffer that may make room for others: one that no consumer that holds
  /// still needs, and that nobody has in flight. If there is none, one that only consumers that do
  /// not hold have in flight: they can do without the buffer's.
  [[nodiscard]] std::optional<std::uint64_t> expendable(const FrameBuffer& buffer);

  /// Whether such a batch is lost: there is nobody who holds, and so has had it.
  [[nodiscard]] bool anyone_holds() const noexcept { return holders_ > 0; }

  // What consumers do.

  /// Somebody is the consumer of this name until `claim` expires. Errc::consumer_unknown,
  /// Errc::consumer_claimed. What the one before had read and not acknowledged is unread again.
  [[nodiscard]] boost::system::result<Id> claim(std::string_view name,
                                                std::weak_ptr<const void> claim);

  /// A consumer waits for what it has not read.
  void wait(Id id, std::size_t max_bytes, ReadReply reply);

  /// Gives those who wait what there is.
  void serve(FrameBuffer& buffer);

  /// A consumer has acknowledged a batch that it read. False for any other range.
  [[nodiscard]] bool acknowledge(Id id, const PlaceRange& range);

  /// The batch stays in the buffer, since others need it.
  void stays(const PlaceRange& range);

  /// The same for one that has come back to the buffer.
  void came_back(const PlaceRange& range);

  void suspend(Id id, std::vector<Attempt> attempts);

  /// What it had attempted counts as read from now on, and is attempted until it says otherwise.
  [[nodiscard]] Resumed resume(Id id, FrameBuffer& buffer);

  [[nodiscard]] std::vector<ConsumerStats> stats(const FrameBuffer& buffer);

  // Over a restart.

  [[nodiscard]] std::vector<SavedConsumer> saved() const;
  void restore(const std::vector<SavedConsumer>& saved, const std::vector<BufferedBatch>& batches);

 private:
  /// Frames that have left for good, drained for example, while a consumer had them.
  struct Gone {
    PlaceRange places;
    Skip why{};
  };
  struct InFlight {
    Depth amount;
    Depth held;  // of that: in the buffer, lent or leased
    ReceiveTime received_at{};
    std::vector<Gone> gone{};

    /// Of a batch at this place: what can be read again.
    [[nodiscard]] PlaceSet readable(std::uint64_t place) const;
  };
  struct Waiting {
    ReadReply reply;
    std::size_t max_bytes = 0;
  };
  /// Where one of them stands.
  struct Position {
    ConsumerOptions options;
    std::weak_ptr<const void> claim;
    PlaceSet unread;                              // before next_place
    PlaceSet at_hand;                             // of these, what may be in the buffer
    std::uint64_t next_place = 0;                 // everything from here on is unread
    std::map<std::uint64_t, InFlight> in_flight;  // by the place of the first frame
    Depth held_in_flight;                         // in all of these
    std::vector<Attempt> attempts;
    std::optional<Waiting> waiting;
    ConsumerStats stats;

    [[nodiscard]] bool has_in_flight(const PlaceRange& range) const;
    [[nodiscard]] std::uint64_t unread_in(const PlaceRange& range) const;
    /// Whether what was passed over before it is still in the buffer.
    enum class Gap : std::uint8_t { is_empty, may_hold_frames };
    std::uint64_t remove_unread(const PlaceRange& range, Gap gap);
    void no_longer_held(const PlaceRange& range, std::uint64_t bytes, Skip why);
    PlaceRange unread_again(std::map<std::uint64_t, InFlight>::iterator entry);
  };

  [[nodiscard]] std::optional<FrameBuffer::Entry> next_unread(Position& one,
                                                              const FrameBuffer& buffer) const;
  void note_read(Position& one, const FrameBuffer::Entry& entry);
  [[nodiscard]] std::vector<BufferedBatch> read(Position& one, FrameBuffer& buffer,
                                                std::size_t max_bytes);
  [[nodiscard]] bool needed_by_holders(const PlaceRange& range) const;
  [[nodiscard]] bool in_flight_anywhere(const PlaceRange& range) const;

  std::vector<Position> consumers_;
  std::size_t holders_ = 0;
  SparePlaces left_over_;         // no holder needs these, and nobody has them in flight
  SparePlaces in_flight_only_;    // no holder needs these
  std::uint64_t read_until_ = 0;  // by the one who is farthest: nobody has read what is behind
};

}  // namespace meridian::inline v1
