/// Those who read the buffer along, each at a position of its own.
#pragma once

#include "aggregator/frame_buffer.hpp"
#include "aggregator/place_set.hpp"

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
#include <set>
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

  /// A batch, or a part of one, has left for good.
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

  /// The batch stays in the buffer, or has come back to it, since others need it.
  void stays(const PlaceRange& range);

  void suspend(Id id, std::vector<Attempt> attempts);

  /// What it had attempted counts as read from now on, and is attempted until it says otherwise.
  [[nodiscard]] Resumed resume(Id id, const FrameBuffer& buffer);

  [[nodiscard]] std::vector<ConsumerStats> stats(const FrameBuffer& buffer) const;

  // Over a restart.

  [[nodiscard]] std::vector<SavedConsumer> saved() const;
  void restore(const std::vector<SavedConsumer>& saved, const std::vector<BufferedBatch>& batches);

 private:
  struct InFlight {
    Depth amount;
    Depth held;  // of that: in the buffer, lent or leased
    ReceiveTime received_at{};
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
    std::uint64_t next_place = 0;                 // everything from here on is unread
    std::map<std::uint64_t, InFlight> in_flight;  // by the place of the first frame
    Depth held_in_flight;                         // in all of these
    std::vector<Attempt> attempts;
    std::optional<Waiting> waiting;
    ConsumerStats stats;

    [[nodiscard]] bool has_in_flight(const PlaceRange& range) const;
    [[nodiscard]] std::uint64_t unread_in(const PlaceRange& range) const;
    std::uint64_t remove_unread(const PlaceRange& range);
    void read(std::uint64_t place, const FrameBatch& batch);
    void no_longer_held(const PlaceRange& range, std::uint64_t bytes);
    PlaceRange unread_again(std::map<std::uint64_t, InFlight>::iterator entry);
  };

  [[nodiscard]] std::vector<BufferedBatch> read(Position& one, FrameBuffer& buffer,
                                                std::size_t max_bytes);
  [[nodiscard]] bool needed_by_holders(const PlaceRange& range) const;
  [[nodiscard]] bool may_make_room(const PlaceRange& range) const;
  [[nodiscard]] std::optional<std::uint64_t> oldest_in_flight(const FrameBuffer& buffer) const;

  std::vector<Position> consumers_;
  std::size_t holders_ = 0;
  std::set<std::uint64_t> left_over_;  // by those who hold, for others; may be out of date
  std::uint64_t scan_from_ = 0;        // before it nothing is expendable, where nobody holds
};

}  // namespace meridian::inline v1
