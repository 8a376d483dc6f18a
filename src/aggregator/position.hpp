/// The position of one consumer.
#pragma once

#include "aggregator/frame_buffer.hpp"
#include "aggregator/place_set.hpp"

#include <meridian/aggregator.hpp>
#include <meridian/positions.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace meridian::inline v2::aggregator {

/// Which frames one consumer has yet to read, and which it has read and not acknowledged. A batch
/// is read and acknowledged as a whole.
///
/// To lend or lease frames does not change a position, since they may be put back. Not thread-safe:
/// owned by Consumers, which reports what happens in the buffer.
class Position {
 public:
  explicit Position(const ConsumerOptions& options);

  [[nodiscard]] const std::string& name() const noexcept { return stats_.name; }
  [[nodiscard]] bool holds() const noexcept { return stats_.hold; }

  // What happens in the buffer.

  /// Frames are about to be added.
  void adding(const Amount& amount) noexcept;

  /// Some frames that `adding` announced are refused instead.
  void refused(const Amount& amount);

  /// A batch, or a part of one, has left the buffer for good. A consumer that had not read it skips
  /// it.
  void removed(const PlaceRange& range, std::uint64_t bytes, Skip why);

  /// A batch was put back into the buffer.
  void came_back(const PlaceRange& range);

  // What the consumer has had of a batch.

  [[nodiscard]] bool has_unread(const PlaceRange& range) const { return unread_in(range) > 0; }
  [[nodiscard]] bool has_in_flight(const PlaceRange& range) const;

  /// Whether the consumer has neither acknowledged nor skipped all of it.
  [[nodiscard]] bool needs(const PlaceRange& range) const {
    return has_unread(range) || has_in_flight(range);
  }

  // What the consumer does.

  /// The next batch in the buffer to read; nothing if there is none.
  [[nodiscard]] std::optional<FrameBuffer::Entry> next_unread(const FrameBuffer& buffer);

  /// A batch is read, and is in flight from now on.
  void note_read(const FrameBuffer::Entry& entry);

  /// Acknowledges a batch that is in flight. False for any other range.
  [[nodiscard]] bool acknowledge(const PlaceRange& range);

  /// The batch that was read at this place becomes unread again. Frames of it that have left the
  /// buffer meanwhile are skipped instead. There must be such a batch. Returns its places.
  PlaceRange unread_again(std::uint64_t place);

  /// The same for all batches that are in flight.
  [[nodiscard]] std::vector<PlaceRange> unread_all_again();

  /// The same for the batches of which no attempt has a frame. Keeps the attempts, to be saved.
  [[nodiscard]] std::vector<PlaceRange> suspend(std::vector<Attempt> attempts);

  [[nodiscard]] const std::vector<Attempt>& attempts() const noexcept { return attempts_; }

  /// The unread batches in the buffer of which attempts have frames.
  [[nodiscard]] std::vector<FrameBuffer::Entry> unread_attempts(const FrameBuffer& buffer) const;

  [[nodiscard]] ConsumerStats stats(const FrameBuffer& buffer);

  // Across a restart.

  [[nodiscard]] SavedConsumer saved() const;

  /// Takes the position of this consumer's name, if there is one. `batches` are those that are
  /// restored with it.
  void restore(const std::vector<SavedConsumer>& saved, const std::vector<BufferedBatch>& batches);

 private:
  /// Frames that have left for good, drained for example, while the consumer had them.
  struct Gone {
    PlaceRange places;
    Skip why{};
  };
  struct InFlight {
    Amount amount;
    Amount held;  // the part that is in the buffer, lent or leased
    ReceiveTime received_at{};
    std::vector<Gone> gone{};

    /// Which places of the batch, from `place` on, can be read again.
    [[nodiscard]] PlaceSet readable(std::uint64_t place) const;
  };
  using AllInFlight = std::map<std::uint64_t, InFlight>;  // by the place of the first frame

  /// Whether unread places that are passed over, before a range, may still hold frames.
  enum class Gap : std::uint8_t { is_empty, may_hold_frames };

  [[nodiscard]] std::uint64_t unread_in(const PlaceRange& range) const;
  std::uint64_t remove_unread(const PlaceRange& range, Gap gap);
  void no_longer_held(const PlaceRange& range, std::uint64_t bytes, Skip why);
  PlaceRange unread_again(AllInFlight::iterator entry);
  [[nodiscard]] std::vector<PlaceRange> unread_again_but_for(const PlaceSet& attempted);

  PlaceSet unread_;           // before next_place_
  PlaceSet at_hand_;          // the part of these that may be in the buffer
  std::uint64_t next_place_;  // everything from here on is unread
  AllInFlight in_flight_;
  Amount held_in_flight_;  // in all of these
  std::vector<Attempt> attempts_;
  ConsumerStats stats_;
};

}  // namespace meridian::inline v2::aggregator
