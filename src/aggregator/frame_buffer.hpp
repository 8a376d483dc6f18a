/// The buffer of frames: ordered, bounded exactly, with a policy for when it is full.
#pragma once

#include "aggregator/buffer_room.hpp"
#include "aggregator/kept_room.hpp"
#include "aggregator/placed_batches.hpp"

#include <meridian/aggregator.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace meridian::inline v2::aggregator {

/// The batches that are held (PlacedBatches), how much may be held (BufferRoom), and the policy
/// that keeps the batches within these limits.
///
/// Frames that were taken may keep their room until they are put back or settled: lent frames under
/// `WhenFull::backpressure`, leased frames under every policy.
///
/// Not thread-safe: owned by the aggregator.
///
/// Invariant, after each call: `depth()` and `leased()` together are within the limits. Under
/// `WhenFull::backpressure` they can exceed the limits after a restore, after frames passed others
/// and were leased or put back, after the limits became narrower, and after `release_backpressure`.
/// Under the other policies they can exceed the limits only if these became narrower and leases
/// could not be evicted.
class FrameBuffer {
 public:
  /// Called for frames that the policy drops, before they are gone. The place is 0 for frames that
  /// never were in the buffer.
  using OnDrop = std::function<void(DropReason, const FrameBatch&, std::uint64_t place)>;

  /// Called when leased frames take up room that is needed: ends a lease. The newest frames of the
  /// lease may go back, as far as `room` also holds them beside the other leased frames. The others
  /// are dropped and settled. False if no lease can be ended.
  using EvictLease = std::function<bool(const Amount& room)>;

  FrameBuffer(const BufferLimits& limits, OnDrop on_drop, EvictLease evict_lease);

  using KeptRoom = aggregator::KeptRoom;
  using Entry = PlacedBatches::Entry;
  using Entries = PlacedBatches::Entries;
  using Step = PlacedBatches::Step;

  /// How many leading frames of a batch can be added now; the others must wait. All of them, unless
  /// the policy is `WhenFull::backpressure`.
  [[nodiscard]] std::uint32_t admits(const FrameBatch& batch) const noexcept {
    return room_.admits(batch);
  }

  /// Adds a batch of which all frames were admitted. The policy drops frames that do not fit, each
  /// on its own: it makes no difference how a stream was cut into batches.
  void add(FrameBatch batch);

  /// From now on nothing waits: under `WhenFull::backpressure` the limits no longer apply.
  void release_backpressure() noexcept { room_.release_backpressure(); }

  struct Taken {
    std::vector<BufferedBatch> batches;
    Amount amount;
    std::uint64_t next_place = 0;  ///< where the next step goes on
    std::size_t octets = 0;        ///< that moved to memory of their own, or were looked through
    bool reached_end = false;      ///< there is nothing more to look at before `until_place`
  };
  [[nodiscard]] Taken take(const Step& step);

  /// Gives a batch places as if it had been added and taken at once. Such a batch need not be
  /// admitted.
  [[nodiscard]] BufferedBatch pass(FrameBatch&& batch, KeptRoom room);

  /// Puts batches back at their places, and then applies the policy. Throws std::logic_error if a
  /// batch does not belong at its place. What has not been put back is then left in `batches`.
  void put_back(std::vector<BufferedBatch>&& batches, KeptRoom room);

  /// Adds what another buffer held, at the same places, to a buffer that is empty. Under
  /// `WhenFull::backpressure` no bound applies. Frames that are added later get `next_place` or
  /// later places. Small batches are joined unless they are to be `kept_apart`. In that case, later
  /// frames are not joined to them either.
  void restore(std::vector<BufferedBatch> batches, std::uint64_t next_place, bool kept_apart);

  /// The first batch whose first frame has this place or a later one.
  [[nodiscard]] std::optional<Entry> find_from(std::uint64_t place) const {
    return batches_.find_from(place);
  }

  /// A second reference to a batch in the buffer, for a consumer that may keep it longer than other
  /// batches keep their slab. The batch moves to memory of its own, see `FrameBatch::compact`. Adds
  /// to `moved` how many octets were moved.
  [[nodiscard]] FrameBatch hand_out(std::uint64_t place, std::size_t& moved) {
    return batches_.hand_out(place, moved);
  }

  /// Takes a whole batch out. Throws std::logic_error if there is none at this place.
  [[nodiscard]] FrameBatch take_at(std::uint64_t place);

  /// Whether the policy would have to act on a batch, or on as much of it as an empty buffer takes.
  [[nodiscard]] bool lacks_room_for(const FrameBatch& batch) const noexcept {
    return room_.lacks_room_for(batch);
  }

  /// Changes the limits, and applies the policy to what is in the buffer.
  void set_limits(const BufferLimits& limits);

  /// This much of what was taken is gone for good. Throws std::logic_error if less was taken.
  void settle(const Amount& amount, KeptRoom room) { room_.settle(amount, room); }

  /// Whether the buffer and what keeps its room are within the limits.
  [[nodiscard]] bool within_limits() const noexcept { return room_.within_limits(); }

  /// Whether frames that passed keep the buffer above its limits, so that senders have to wait. An
  /// excess after a restore or narrower limits does not count: the buffer takes in nothing anyway.
  [[nodiscard]] bool waits_for_its_limits() const noexcept { return room_.waits_for_its_limits(); }

  /// How much more can be leased before the leased frames alone exceed the limits.
  [[nodiscard]] Amount room_for_leases() const noexcept { return room_.room_beside(leased()); }

  /// Takes everything out. To destroy the result may take long: the caller does that where nothing
  /// waits.
  [[nodiscard]] Entries take_all();

  [[nodiscard]] const Amount& depth() const noexcept { return room_.depth(); }
  [[nodiscard]] const Amount& leased() const noexcept { return room_.leased(); }
  [[nodiscard]] BufferLevel level() const noexcept { return room_.level(); }

  /// The highest level since the last call.
  [[nodiscard]] Amount take_peak() noexcept { return room_.take_peak(); }

  /// The place that the next frame will get.
  [[nodiscard]] std::uint64_t end_place() const noexcept { return batches_.end_place(); }

  /// Keeps the next frame from being joined to earlier ones. Each `take` that another step may
  /// follow does this.
  void seal() noexcept { batches_.seal(); }

 private:
  void add_what_fits(FrameBatch batch);
  void add_and_evict(FrameBatch batch);
  void add_beside_leases(FrameBatch batch);
  void append(FrameBatch batch);
  void apply_policy();
  void evict_oldest();
  void evict_newest();
  void drop(DropReason reason, const BufferedBatch& dropped);

  PlacedBatches batches_;
  BufferRoom room_;
  OnDrop on_drop_;
  EvictLease evict_lease_;
};

}  // namespace meridian::inline v2::aggregator
