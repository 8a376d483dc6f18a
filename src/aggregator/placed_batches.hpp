/// The batches in the buffer, each at its place, and the only ways out for them.
#pragma once

#include "aggregator/frame_page.hpp"
#include "aggregator/kept_room.hpp"

#include <meridian/aggregator.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>

namespace meridian::inline v2::aggregator {

/// Batches in the order of their arrival. Each frame has a place, a number that counts up, so that
/// a batch that was taken out can be put back.
///
/// Small batches are joined (see FramePage). Larger ones stay in the slab into which they were
/// read, and share it with the batches read next. Usually they leave together. If one stays longer,
/// here or with its taker, it must not keep in memory a slab that the others have left. So only the
/// calls of this class and of its Walk take batches out, hand them out or cut them. Each of these
/// calls moves what may stay to memory of its own (`FrameBatch::compact`).
///
/// Errors: std::logic_error for a place that has no batch, or at which a batch does not fit. Not
/// thread-safe: owned by FrameBuffer, which knows the limits.
class PlacedBatches {
 public:
  /// A batch in the buffer. Valid until the buffer changes.
  struct Entry {
    std::uint64_t place = 0;
    const FrameBatch* batch = nullptr;

    [[nodiscard]] PlaceRange places() const noexcept { return {place, batch->frames()}; }
  };

  /// Batches by the place of their first frame; their other frames have the places that follow. A
  /// tree, since batches are taken from the middle and put back there.
  using Entries = std::map<std::uint64_t, FrameBatch>;

  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }

  /// The first one whose first frame has this place or a later one.
  [[nodiscard]] std::optional<Entry> find_from(std::uint64_t place) const;

  /// Throws if there is no batch.
  [[nodiscard]] Entry oldest() const;
  [[nodiscard]] Entry newest() const;

  /// The place that the next frame will get.
  [[nodiscard]] std::uint64_t end_place() const noexcept { return end_place_; }

  /// Frames that come later get this place or later ones.
  void skip_to(std::uint64_t place) noexcept;

  /// Keeps the next frame from being joined to earlier ones.
  void seal() noexcept { sealed_place_ = end_place_; }

  // In.

  /// What becomes of frames that were read after a batch, into the same slab. They come into the
  /// buffer, too, or they may be refused. Then the batch alone would keep the slab.
  enum class ReadBehind : std::uint8_t { comes, may_be_refused };

  /// Gives a batch the next places.
  void append(FrameBatch&& batch, ReadBehind behind);

  /// Gives a batch places as if it had been appended and taken at once.
  [[nodiscard]] BufferedBatch pass(FrameBatch&& batch, KeptRoom room);

  /// Puts a batch back at its place. Throws if it does not belong there, and then leaves it in
  /// `buffered`.
  void put_back(BufferedBatch& buffered);

  // Out.

  /// One step of a drain.
  struct Step {
    std::uint64_t max_frames = 0;
    std::optional<SatelliteId> satellite_id{};
    std::uint64_t from_place = 0;  ///< skip earlier places; 0 for the first step
    std::uint64_t until_place = std::numeric_limits<std::uint64_t>::max();  ///< and from here on
    std::size_t max_batches = 0;     ///< look at no more entries than this
    KeptRoom room = KeptRoom::none;  ///< of what is taken
    /// If a batch also has frames of other satellites: whether it is cut, so that each frame stays
    /// at its place, or sorted, which makes fewer batches.
    bool keep_places = false;
  };

  /// Takes out what a step wants.
  class Walk;

  /// A second reference to a batch, for a consumer that may keep it longer than other batches keep
  /// their slab. Adds to `moved` how many octets were moved.
  [[nodiscard]] FrameBatch hand_out(std::uint64_t place, std::size_t& moved);

  /// Takes a whole batch out. Throws if there is none at this place.
  [[nodiscard]] FrameBatch take_at(std::uint64_t place);

  /// Takes the first `frames` frames of the oldest batch, which may be all of them, to be dropped.
  /// The rest stays in its slab, since it is dropped next.
  [[nodiscard]] BufferedBatch take_oldest(std::uint32_t frames);

  /// Takes the last `frames` frames of the newest batch, which may be all of them, to be dropped.
  [[nodiscard]] BufferedBatch take_newest(std::uint32_t frames);

  /// Takes everything out. To destroy the result may take long: the caller does that where nothing
  /// waits.
  [[nodiscard]] Entries take_all() noexcept;

 private:
  [[nodiscard]] bool join_last(const FrameBatch& batch);

  Entries entries_;
  FramePage page_;
  std::uint64_t end_place_ = 1;
  std::uint64_t sealed_place_ = 0;
};

}  // namespace meridian::inline v2::aggregator
