/// The consumers that read the buffer, each at its own position.
#pragma once

#include "aggregator/frame_buffer.hpp"
#include "aggregator/position.hpp"
#include "aggregator/spare_places.hpp"

#include <meridian/aggregator.hpp>
#include <meridian/consumer.hpp>
#include <meridian/oneshot.hpp>
#include <meridian/positions.hpp>

#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace meridian::inline v2::aggregator {

/// All consumers with their positions. Decides which consumer may be claimed, what each reads next,
/// and which batches may make room for others.
///
/// Not thread-safe: owned by the aggregator, which reports what happens in the buffer.
class Consumers {
 public:
  using Id = std::size_t;
  using ReadReply = OneshotSender<std::vector<BufferedBatch>>;

  explicit Consumers(const std::vector<ConsumerOptions>& options);

  [[nodiscard]] bool empty() const noexcept { return members_.empty(); }

  // What happens in the buffer.

  /// Frames are about to be added.
  void adding(const Amount& amount);

  /// Some frames that `adding` announced are refused instead.
  void refused(const Amount& amount);

  /// A batch has left the buffer because all consumers have it.
  void left(const PlaceRange& range);

  /// A batch, or a part of one, has left the buffer for good, whether or not consumers had it.
  void removed(const PlaceRange& range, std::uint64_t bytes, Skip why);

  /// Whether all consumers have acknowledged these frames, or have skipped them. False if there are
  /// no consumers.
  [[nodiscard]] bool have_all(const PlaceRange& range) const;

  /// The oldest batch in the buffer that may make room for others. No consumer with `hold` still
  /// needs it, and no consumer has it in flight. If there is none, a batch that only consumers
  /// without `hold` have in flight: they have references of their own.
  [[nodiscard]] std::optional<std::uint64_t> expendable(const FrameBuffer& buffer);

  /// Whether there is a consumer with `hold`. If there is none, a batch that makes room counts as
  /// dropped, since no consumer is sure to have had it.
  [[nodiscard]] bool anyone_holds() const noexcept { return holders_ > 0; }

  // What consumers do.

  /// Claims the consumer of this name until `claim` expires. Fails with Errc::consumer_unknown or
  /// Errc::consumer_claimed. What its previous user had read and not acknowledged becomes unread
  /// again.
  [[nodiscard]] boost::system::result<Id> claim(std::string_view name,
                                                std::weak_ptr<const void> claim);

  /// A consumer waits for what it has not read.
  void wait(Id id, std::size_t max_bytes, ReadReply reply);

  /// Answers each waiting consumer for which there is something to read.
  void serve(FrameBuffer& buffer);

  /// A consumer has acknowledged a batch that it read. False for any other range.
  [[nodiscard]] bool acknowledge(Id id, const PlaceRange& range);

  /// A batch stays in the buffer, and consumers may need less of it than before. Notes whether it
  /// may make room for others.
  void stays(const PlaceRange& range);

  /// The same for a batch that was put back into the buffer.
  void came_back(const PlaceRange& range);

  void suspend(Id id, std::vector<Attempt> attempts);

  /// Returns the attempts of the consumer, with their batches, which count as read from now on.
  /// They remain attempts until `suspend` replaces them.
  [[nodiscard]] Resumed resume(Id id, FrameBuffer& buffer);

  [[nodiscard]] std::vector<ConsumerStats> stats(const FrameBuffer& buffer);

  // Across a restart.

  [[nodiscard]] std::vector<SavedConsumer> saved() const;
  void restore(const std::vector<SavedConsumer>& saved, const std::vector<BufferedBatch>& batches);

 private:
  struct Waiting {
    ReadReply reply;
    std::size_t max_bytes = 0;
  };
  struct Member {
    Position position;
    std::weak_ptr<const void> claim{};
    std::optional<Waiting> waiting{};
  };

  void note_read(Position& one, const FrameBuffer::Entry& entry);
  [[nodiscard]] std::vector<BufferedBatch> read(Position& one, FrameBuffer& buffer,
                                                std::size_t max_bytes);
  void all_stay(const std::vector<PlaceRange>& ranges);
  [[nodiscard]] bool needed_by_holders(const PlaceRange& range) const;
  [[nodiscard]] bool in_flight_anywhere(const PlaceRange& range) const;

  std::vector<Member> members_;
  std::size_t holders_ = 0;
  SparePlaces left_over_;         // no holder needs these, and none is in flight
  SparePlaces in_flight_only_;    // no holder needs these, but some consumer has them in flight
  std::uint64_t read_until_ = 0;  // no consumer has read anything from here on
};

}  // namespace meridian::inline v2::aggregator
