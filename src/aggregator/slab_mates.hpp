/// Batches that stay in a slab when others leave it.
#pragma once

#include <meridian/frame_batch.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <vector>

namespace meridian::inline v2::aggregator {

/// For one pass over the buffer, which takes some batches and leaves others. A batch that is left
/// moves to memory of its own if the pass takes another batch of its slab, earlier or later.
/// Batches of one slab are near each other, since they were read one after another. So only a few
/// are remembered, and those farther away are left alone.
class SlabMates {
 public:
  /// A batch that is left where it is. It must stay there as long as this object exists. Returns
  /// how many octets were moved.
  std::size_t leave(FrameBatch& batch) {
    if (std::ranges::find(taken_, batch.slab()) != taken_.end()) {
      return batch.compact();
    }
    if (left_.size() == most_left) {
      left_.erase(left_.begin(), left_.begin() + most_left / 2);
    }
    left_.push_back(&batch);
    return 0;
  }

  /// A batch that is about to be taken. Returns how many octets were moved.
  std::size_t take(const FrameBatch& batch) {
    const std::byte* const slab = batch.slab();
    std::size_t moved = 0;
    std::erase_if(left_, [&](FrameBatch* left) {
      const bool is_mate = left->slab() == slab;
      moved += is_mate ? left->compact() : 0;
      return is_mate;
    });
    if (std::ranges::find(taken_, slab) == taken_.end()) {
      taken_[next_] = slab;
      next_ = (next_ + 1) % taken_.size();
    }
    return moved;
  }

 private:
  /// More batches than a slab has room for, small ones aside (see FramePage).
  static constexpr std::ptrdiff_t most_left = 256;

  std::vector<FrameBatch*> left_;
  std::array<const std::byte*, 16> taken_{};  // threads read into several at a time
  std::size_t next_ = 0;
};

}  // namespace meridian::inline v2::aggregator
