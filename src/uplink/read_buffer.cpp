#include "uplink/read_buffer.hpp"

#include <algorithm>
#include <utility>

namespace meridian::uplink {

namespace {

/// The slab that this thread read into last, if nobody adopted it.
thread_local std::shared_ptr<std::byte[]> spare_slab;

}  // namespace

std::span<std::byte> ReadBuffer::prepare() {
  if (filled_ == capacity_ || capacity_ < wanted_) {
    move_to(std::max(slab_bytes, wanted_), {slab_.get(), filled_});
  }
  return {slab_.get() + filled_, capacity_ - filled_};
}

SlabRange ReadBuffer::contents() const noexcept {
  return {.slab = slab_, .slab_bytes = capacity_, .octets = {slab_.get(), filled_}};
}

void ReadBuffer::consume(std::size_t bytes, std::size_t wanted) {
  wanted_ = wanted;
  const std::span<const std::byte> rest(slab_.get() + bytes, filled_ - bytes);
  if (rest.size() <= small_bytes) {
    move_to(rest.size(), rest);
  } else if (bytes > 0) {
    // The slab may belong to a batch now.
    move_to(std::max(slab_bytes, wanted_), rest);
  }
}

void ReadBuffer::move_to(std::size_t capacity, std::span<const std::byte> octets) {
  WritableSlab slab = take_slab(capacity);
  std::ranges::copy(octets, slab.get());
  filled_ = octets.size();
  give_back(std::exchange(slab_, std::move(slab)), std::exchange(capacity_, capacity));
}

ReadBuffer::WritableSlab ReadBuffer::take_slab(std::size_t capacity) {
  if (capacity == 0) {
    return nullptr;
  }
  if (capacity == slab_bytes && spare_slab) {
    return std::exchange(spare_slab, nullptr);
  }
  return std::make_shared_for_overwrite<std::byte[]>(capacity);
}

void ReadBuffer::give_back(WritableSlab slab, std::size_t capacity) noexcept {
  if (capacity == slab_bytes && slab.use_count() == 1) {
    spare_slab = std::move(slab);
  }
}

}  // namespace meridian::uplink
