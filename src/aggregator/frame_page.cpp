#include "aggregator/frame_page.hpp"

#include "frame/slab_pool.hpp"

#include <algorithm>
#include <cassert>
#include <span>

namespace meridian::inline v2::aggregator {

void FramePage::take_in(FrameBatch& batch) {
  assert(batch.bytes() <= frame::SlabPool::slab_bytes);
  if (!slab_ || frame::SlabPool::slab_bytes - used_ < batch.bytes()) {
    slab_ = frame::SlabPool::of_process().take();
    used_ = 0;
  }
  std::byte* const begin = slab_.get() + used_;
  std::ranges::copy(batch.octets(), begin);
  used_ += batch.bytes();
  batch.relocate({.slab = slab_,
                  .slab_bytes = frame::SlabPool::slab_bytes,
                  .octets = std::span<const std::byte>(begin, batch.bytes())});
}

}  // namespace meridian::inline v2::aggregator
