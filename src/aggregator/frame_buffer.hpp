/// The buffer of frames: ordered, bounded exactly, with a policy for when it is full.
#pragma once

#include "aggregator/frame_page.hpp"
#include "aggregator/slab_mates.hpp"

#include <meridian/aggregator.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace meridian::inline v2::aggregator {

/// Batches in the order of their arrival. Each frame has a place, a number that counts up, so that
/// a batch that was taken out can be put back.
///
/// Frames that were taken may keep their room until they are put back or settled: lent frames under
/// `WhenFull::backpressure`, leased frames under every policy.
///
/// Small batches are joined, see FramePage. Larger ones stay where they were read. They share slabs
/// with those that were read next, and usually leave together. Otherwise those that stay behind,
/// and those that may be kept outside of the buffer, move to memory of their own: after a drain of
/// one satellite, under a policy that drops the newest, when a consumer reads them and when they
/// are leased.
///
/// Not thread-safe: owned by the aggregator. Invariant, after each call: `depth()` and
/// `leased()` together are within the limits, unless the policy is `WhenFull::backpressure` and
/// frames were restored, or passed others and were leased or put back, or the limits became
/// narrower, or `release_backpressure` was called. Under the other policies they can exceed the
/// limits only where these became narrower and leases could not be evicted.
class FrameBuffer {
 public:
  /// Told of frames that the policy drops, before they are gone. The place is 0 for those that
  /// never were in the buffer.
  using OnDrop = std::function<void(DropReason, const FrameBatch&, std::uint64_t place)>;

  /// Called for the room of leased frames: ends a lease. Its newest frames may go back, as far as
  /// there is `room` for them beside the other leased ones; the rest is dropped and settled. False
  /// if no lease can be ended.
  using EvictLease = std::function<bool(const Amount& room)>;

  FrameBuffer(const BufferLimits& limits, OnDrop on_drop, EvictLease evict_lease);

  /// What becomes of the room of frames that were taken: it is free again, or kept for their
  /// return.
  enum class KeptRoom : std::uint8_t { none, lent, leased };

  /// How many leading frames of a batch can be added now; the others must wait. All of them, unless
  /// the policy is `WhenFull::backpressure`.
  [[nodiscard]] std::uint32_t admits(const FrameBatch& batch) const noexcept;

  /// Adds a batch, of which all frames were admitted. Frames that do not fit are dropped by the
  /// policy, each on its own: how a stream was cut into batches makes no difference.
  void add(FrameBatch batch);

  /// From now on nothing waits: under `WhenFull::backpressure` the limits no longer apply.
  void release_backpressure() noexcept {
    backpressure_released_ = limits_.when_full == WhenFull::backpressure;
  }

  /// One step of a drain.
  struct Step {
    std::uint64_t max_frames = 0;
    std::optional<SatelliteId> satellite_id{};
    std::uint64_t from_place = 0;  ///< skip what is before; 0 for the first step
    std::uint64_t until_place = std::numeric_limits<std::uint64_t>::max();  ///< and from here on
    std::size_t max_batches = 0;     ///< look at no more entries than this
    KeptRoom room = KeptRoom::none;  ///< of what is taken
    /// If a batch also has frames of other satellites: whether it is cut, so that each frame stays
    /// at its place, or sorted, which makes fewer batches.
    bool keep_places = false;
  };
  struct Taken {
    std::vector<BufferedBatch> batches;
    Amount amount;
    std::uint64_t next_place = 0;  ///< where the next step goes on
    std::size_t octets = 0;        ///< that moved to memory of their own, or were looked through
    bool reached_end = false;      ///< there is nothing more to look at before `until_place`
  };
  [[nodiscard]] Taken take(const Step& step);

  /// Gives a batch places as if it had been added and taken at once. It was not admitted, and need
  /// not be.
  [[nodiscard]] PlaceRange pass(const FrameBatch& batch, KeptRoom room);

  /// Puts batches back in their place; then the policy applies. Throws std::logic_error if that is
  /// not theirs; what has not been put back is then left in `batches`.
  void put_back(std::vector<BufferedBatch>&& batches, KeptRoom room);

  /// Adds what another buffer held, at its places, to a buffer that is empty; without a bound
  /// under `WhenFull::backpressure`. What is added later comes at `next_place`, or behind that.
  /// Small batches are joined unless they are to be `kept_apart`: then what comes later is not
  /// joined to them either.
  void restore(std::vector<BufferedBatch> batches, std::uint64_t next_place, bool kept_apart);

  /// A batch in the buffer, which stays valid until the buffer changes.
  struct Entry {
    std::uint64_t place = 0;
    const FrameBatch* batch = nullptr;

    [[nodiscard]] PlaceRange places() const noexcept { return {place, batch->frames()}; }
  };

  /// The first one whose first frame has this place or a later one.
  [[nodiscard]] std::optional<Entry> find_from(std::uint64_t place) const;

  /// A second reference to a batch in the buffer, for a consumer that may keep it when others that
  /// share its slab have gone. The batch moves to memory of its own, see `FrameBatch::compact`.
  /// Adds to `moved` how many octets were moved.
  [[nodiscard]] FrameBatch hand_out(std::uint64_t place, std::size_t& moved);

  /// Takes a whole batch out. Throws std::logic_error if there is none at this place.
  [[nodiscard]] FrameBatch take_at(std::uint64_t place);

  /// Whether the policy would have to act on a batch, or on as much of it as an empty buffer takes.
  [[nodiscard]] bool lacks_room_for(const FrameBatch& batch) const noexcept;

  /// Changes the limits, and applies the policy to what is there.
  void set_limits(const BufferLimits& limits);

  /// This much of what was taken does not come back. Throws std::logic_error if less was taken.
  void settle(const Amount& amount, KeptRoom room);

  /// Whether the buffer and what keeps its room are within the limits.
  [[nodiscard]] bool within_limits() const noexcept;

  /// Whether they are not, because of frames that passed, and new ones have to wait for that. An
  /// excess that narrower limits or a restore has brought about does not count: it lets nothing in
  /// anyway.
  [[nodiscard]] bool waits_for_its_limits() const noexcept;

  /// How much more can be leased so that the leased frames alone are within the limits.
  [[nodiscard]] Amount room_for_leases() const noexcept;

  /// Batches by the place of their first frame; the others have the places that follow. A tree,
  /// since batches are taken from the middle and put back there.
  using Entries = std::map<std::uint64_t, FrameBatch>;

  /// Takes everything out. Destroying it may take long; the caller does so where nothing waits for
  /// it.
  [[nodiscard]] Entries take_all();

  [[nodiscard]] const Amount& depth() const noexcept { return depth_; }
  [[nodiscard]] const Amount& leased() const noexcept { return leased_; }
  [[nodiscard]] BufferLevel level() const noexcept {
    return {depth_, high_water_, limits_, lent_, leased_};
  }

  /// The highest level since the last call.
  [[nodiscard]] Amount take_peak() noexcept { return std::exchange(peak_, depth_); }

  /// The place that the next frame will get.
  [[nodiscard]] std::uint64_t end_place() const noexcept { return end_place_; }

  /// Keeps the next frame from being joined to those before. Each `take` that another step may
  /// follow does this.
  void seal() noexcept { sealed_place_ = end_place_; }

 private:
  /// Room that new frames cannot have.
  [[nodiscard]] Amount used() const noexcept {
    return {depth_.frames + leased_.frames, depth_.bytes + leased_.bytes};
  }
  /// The same, and the room of lent frames.
  [[nodiscard]] Amount used_or_lent() const noexcept {
    return {depth_.frames + leased_.frames + lent_.frames,
            depth_.bytes + leased_.bytes + lent_.bytes};
  }
  /// Up to this level, no excess is due to frames that passed.
  [[nodiscard]] Amount excused_level() const noexcept;
  [[nodiscard]] Amount room_beside_buffered() const noexcept;
  void forget_excuse() noexcept;
  [[nodiscard]] bool exceeds_limits(const Amount& amount) const noexcept {
    return amount.frames > limits_.max_frames || amount.bytes > limits_.max_bytes;
  }
  [[nodiscard]] std::uint32_t frames_that_fit(const FrameBatch& batch,
                                              const Amount& used) const noexcept;
  void add_what_fits(FrameBatch batch);
  void add_and_evict(FrameBatch batch);
  void add_beside_leases(FrameBatch batch);
  void append(FrameBatch batch);
  void keep_room(const Amount& amount, KeptRoom room) noexcept;
  void insert(BufferedBatch& buffered);
  [[nodiscard]] bool join_last(const FrameBatch& batch);
  void apply_policy();
  void note_high_water() noexcept;
  void evict_oldest();
  void evict_newest();
  void drop(DropReason reason, std::uint64_t place, const FrameBatch& batch);
  Entries::iterator take_from(Entries::iterator entry, const Step& step, Taken& taken,
                              SlabMates& mates);
  Entries::iterator cut(Entries::iterator entry, SatelliteId satellite_id, std::uint64_t room,
                        Taken& taken);

  BufferLimits limits_;
  OnDrop on_drop_;
  EvictLease evict_lease_;
  Entries entries_;
  FramePage page_;
  Amount depth_;
  Amount lent_;
  Amount leased_;
  Amount excused_;  // what was there when the limits became narrower, or was restored
  Amount high_water_;
  Amount peak_;  // high water since it was last asked for
  std::uint64_t end_place_ = 1;
  std::uint64_t sealed_place_ = 0;
  bool backpressure_released_ = false;
};

}  // namespace meridian::inline v2::aggregator
