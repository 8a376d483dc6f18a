/// How one step of a drain takes frames out of the buffer.
#pragma once

#include "aggregator/batch_parts.hpp"
#include "aggregator/placed_batches.hpp"
#include "aggregator/slab_mates.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace meridian::inline v2::aggregator {

/// Goes from older batches to newer ones, takes the frames that a step wants, and leaves the
/// others. It moves these to memory of their own:
///
/// - a batch that is left, if a step for one satellite takes or divides another batch of its slab
///   (SlabMates);
/// - a whole batch that is taken, if it is leased or the step is for one satellite: other batches
///   of its slab stay, or leave earlier;
/// - the parts of a batch that is divided, except for a part that is taken and not leased.
///
/// Lifetime: the batches and the step must outlive it. Nothing else may change the batches
/// meanwhile, since it remembers those that it has left. Bounds: it ends when it has moved or
/// looked through some 4 MiB.
class PlacedBatches::Walk {
 public:
  Walk(PlacedBatches& batches, const Step& step)
      : batches_(batches),
        step_(step),
        entry_(batches.entries_.lower_bound(step.from_place)),
        next_place_(step.from_place) {}

  /// Whether there is a batch to look at, and the step is not at one of its bounds.
  [[nodiscard]] bool goes_on() const;

  /// Looks at the next batch. Returns what it takes of it; nothing if it leaves the batch, or has
  /// only cut it so far. Call it only if the walk `goes_on`.
  [[nodiscard]] std::optional<BufferedBatch> look_at_next();

  /// Whether there is nothing more to look at before the step's `until_place`.
  [[nodiscard]] bool reached_end() const;

  /// Where the next step goes on.
  [[nodiscard]] std::uint64_t next_place() const noexcept { return next_place_; }

  /// How many octets were moved to memory of their own, or looked through.
  [[nodiscard]] std::size_t octets() const noexcept { return octets_; }

 private:
  /// How many frames the step may still take.
  [[nodiscard]] std::uint64_t frames_left() const noexcept { return step_.max_frames - frames_; }

  void leave();
  /// A batch is about to give up its part of its slab: it is taken, or divided.
  void note_parting(const FrameBatch& batch);
  [[nodiscard]] BufferedBatch take_whole();
  [[nodiscard]] BufferedBatch take_part(Wanted wanted);
  void cut();

  PlacedBatches& batches_;
  const Step& step_;
  Entries::iterator entry_;  // the next to look at
  SlabMates mates_;
  std::uint64_t next_place_;
  std::uint64_t frames_ = 0;  // taken so far
  std::size_t looked_at_ = 0;
  std::size_t octets_ = 0;
};

}  // namespace meridian::inline v2::aggregator
