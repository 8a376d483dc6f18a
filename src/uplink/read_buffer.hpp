/// Where a session reads to.
#pragma once

#include "frame/decoder.hpp"

#include <cstddef>
#include <memory>
#include <span>

namespace meridian::uplink {

/// The part of a stream that is not decoded yet, in memory that fits it:
///
///     slab   [ unconsumed octets | room for the next read ]
///            0                   filled                   capacity
///
/// An idle session holds no slab, and one with a short piece of a frame just that piece. A slab
/// that no batch adopted is used again, by whichever session of the same thread reads next.
///
/// Not thread-safe. From `prepare` to `consume` a session must stay on its thread, and a batch that
/// was decoded must not be handed on: by then it shows whether it adopted the slab.
class ReadBuffer {
 public:
  /// What one read takes at most, unless a single frame is larger.
  static constexpr std::size_t slab_bytes = 64 * 1024;

  /// Room for the next read, never empty.
  [[nodiscard]] std::span<std::byte> prepare();

  /// `bytes` were read into the room.
  void commit(std::size_t bytes) noexcept { filled_ += bytes; }

  /// All that is there to be decoded.
  [[nodiscard]] SlabRange contents() const noexcept;

  /// Nothing was read: lets go of the room again.
  void rest() { consume(0, wanted_); }

  /// Forgets the first `bytes`. The rest can be decoded once there are `wanted` octets of it.
  void consume(std::size_t bytes, std::size_t wanted);

  /// Octets of a frame that has begun and not ended.
  [[nodiscard]] std::size_t unconsumed() const noexcept { return filled_; }

 private:
  using WritableSlab = std::shared_ptr<std::byte[]>;

  /// Pieces of a frame up to this size wait in an allocation of their own size.
  static constexpr std::size_t small_bytes = 4 * 1024;

  void move_to(std::size_t capacity, std::span<const std::byte> octets);
  static WritableSlab take_slab(std::size_t capacity);
  static void give_back(WritableSlab slab, std::size_t capacity) noexcept;

  WritableSlab slab_;
  std::size_t capacity_ = 0;
  std::size_t filled_ = 0;
  std::size_t wanted_ = 0;
};

}  // namespace meridian::uplink
