/// The buffer that a session reads into.
#pragma once

#include "frame/slab_pool.hpp"

#include <meridian/decoder.hpp>

#include <cstddef>
#include <memory>
#include <span>

namespace meridian::uplink {

/// The part of a stream that is not decoded yet, followed by room for the next read.
///
/// All sessions of a thread read into the same slab, one after another:
///
///     slab   [ adopted by batches | unconsumed octets | room for the next read ]
///
/// So batches use octets where the read has put them, and an idle session holds no memory. The next
/// read overwrites what no batch has adopted. Between two reads, a session keeps an incomplete
/// frame in memory of its own. A short piece gets memory of its own size; a long piece gets memory
/// for the whole frame.
///
/// Not thread-safe. From `prepare` to `consume` a session must stay on its thread, and no other
/// session may read on that thread.
class ReadBuffer {
 public:
  /// The most that one read takes, unless a single frame is larger.
  static constexpr std::size_t max_read_bytes = frame::SlabPool::slab_bytes;

  /// Room for the next read, never empty.
  [[nodiscard]] std::span<std::byte> prepare();

  /// Notes that `bytes` were read into the room.
  void commit(std::size_t bytes) noexcept { filled_ += bytes; }

  /// All octets that are not decoded yet.
  [[nodiscard]] SlabRange contents() const noexcept;

  /// Releases the room after a read that returned nothing.
  void rest() { consume(0, wanted_, Adopted::no); }

  /// Whether a batch refers to the consumed octets where they are.
  enum class Adopted : bool { no, yes };

  /// Forgets the first `bytes` octets. The rest can be decoded once it has grown to `wanted`
  /// octets.
  void consume(std::size_t bytes, std::size_t wanted, Adopted adopted);

  /// How many octets of an incomplete frame there are.
  [[nodiscard]] std::size_t unconsumed() const noexcept { return filled_; }

 private:
  using WritableSlab = std::shared_ptr<std::byte[]>;

  /// Pieces of a frame up to this size are short.
  static constexpr std::size_t short_bytes = 4 * 1024;

  void keep(std::span<const std::byte> piece);

  WritableSlab own_;            // holds a piece of a frame; null: begin_ is in the thread's slab
  std::size_t own_bytes_ = 0;   // the size of own_
  std::byte* begin_ = nullptr;  // the first unconsumed octet
  std::size_t filled_ = 0;      // unconsumed octets
  std::size_t wanted_ = 0;      // unconsumed octets that the decoder needs to go on
};

}  // namespace meridian::uplink
