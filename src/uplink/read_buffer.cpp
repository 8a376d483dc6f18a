#include "uplink/read_buffer.hpp"

#include <algorithm>
#include <utility>

namespace meridian::uplink {

namespace {

/// The slab that all sessions of a thread read into.
struct SharedSlab {
  std::shared_ptr<std::byte[]> slab;
  std::size_t adopted = 0;  // octets that belong to batches

  /// A read into less room than this would cost more than it gains.
  static constexpr std::size_t least_room = frame::SlabPool::slab_bytes / 4;

  /// Where the next read goes. There is room for the caller's `bytes` unconsumed octets, and after
  /// them for a worthwhile read.
  std::byte* begin_for(std::size_t bytes) {
    if (!slab || frame::SlabPool::slab_bytes - adopted < bytes + least_room) {
      slab = frame::SlabPool::of_process().take();
      adopted = 0;
    }
    return slab.get() + adopted;
  }
  [[nodiscard]] std::size_t room() const { return frame::SlabPool::slab_bytes - adopted; }
};

thread_local SharedSlab shared;

}  // namespace

std::span<std::byte> ReadBuffer::prepare() {
  if (own_ && filled_ < own_bytes_) {
    return {begin_ + filled_, own_bytes_ - filled_};
  }
  std::byte* const begin = shared.begin_for(filled_);
  std::copy_n(begin_, filled_, begin);
  begin_ = begin;
  own_ = nullptr;
  return {begin_ + filled_, shared.room() - filled_};
}

SlabRange ReadBuffer::contents() const noexcept {
  const std::span<const std::byte> octets(begin_, filled_);
  return own_ ? SlabRange{.slab = own_, .slab_bytes = own_bytes_, .octets = octets}
              : SlabRange{.slab = shared.slab,
                          .slab_bytes = frame::SlabPool::slab_bytes,
                          .octets = octets};
}

void ReadBuffer::consume(std::size_t bytes, std::size_t wanted, Adopted adopted) {
  wanted_ = wanted;
  if (!own_ && adopted == Adopted::yes) {
    shared.adopted += bytes;
  }
  const bool goes_on_where_it_is = own_ && bytes == 0 && wanted_ <= own_bytes_;
  if (!goes_on_where_it_is) {
    keep({begin_ + bytes, filled_ - bytes});
  }
}

void ReadBuffer::keep(std::span<const std::byte> piece) {
  if (piece.empty()) {
    *this = ReadBuffer();
    return;
  }
  const std::size_t capacity =
      piece.size() > short_bytes ? std::max(wanted_, piece.size()) : piece.size();
  WritableSlab slab = std::make_shared_for_overwrite<std::byte[]>(capacity);
  std::ranges::copy(piece, slab.get());
  own_ = std::move(slab);
  own_bytes_ = capacity;
  begin_ = own_.get();
  filled_ = piece.size();
}

}  // namespace meridian::uplink
