/// Where a session reads to.
#pragma once

#include "frame/slab_pool.hpp"

#include <meridian/decoder.hpp>

#include <cstddef>
#include <memory>
#include <span>

namespace meridian::uplink {

/// The part of a stream that is not decoded yet, and room for the next read behind it.
///
/// All sessions of a thread read into the same slab, one behind the other:
///
///     slab   [ adopted by batches | unconsumed octets | room for the next read ]
///
/// so that octets are used where they were read, and an idle session holds nothing. What a batch
/// did not adopt is written over by the next read. Between two reads a session keeps a piece of a
/// frame for itself: a short one in memory of its size, a long one where the whole frame will fit.
///
/// Not thread-safe. From `prepare` to `consume` a session must stay on its thread, and no other may
/// read there.
class ReadBuffer {
 public:
  /// What one read takes at most, unless a single frame is larger.
  static constexpr std::size_t max_read_bytes = SlabPool::slab_bytes;

  /// Room for the next read, never empty.
  [[nodiscard]] std::span<std::byte> prepare();

  /// `bytes` were read into the room.
  void commit(std::size_t bytes) noexcept { filled_ += bytes; }

  /// All that is there to be decoded.
  [[nodiscard]] SlabRange contents() const noexcept;

  /// Nothing was read: lets go of the room again.
  void rest() { consume(0, wanted_, Adopted::no); }

  /// Whether a batch refers to what was consumed, where it was.
  enum class Adopted : bool { no, yes };

  /// Forgets the first `bytes`. The rest can be decoded once there are `wanted` octets of it.
  void consume(std::size_t bytes, std::size_t wanted, Adopted adopted);

  /// Octets of a frame that has begun and not ended.
  [[nodiscard]] std::size_t unconsumed() const noexcept { return filled_; }

 private:
  using WritableSlab = std::shared_ptr<std::byte[]>;

  /// Pieces of a frame up to this size are short.
  static constexpr std::size_t short_bytes = 4 * 1024;

  void keep(std::span<const std::byte> piece);

  WritableSlab own_;            // for a piece; without one, begin_ is in the thread's slab
  std::size_t own_bytes_ = 0;   // its size
  std::byte* begin_ = nullptr;  // of what is unconsumed
  std::size_t filled_ = 0;      // how much that is
  std::size_t wanted_ = 0;
};

}  // namespace meridian::uplink
