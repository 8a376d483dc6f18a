/// Dense memory for small batches that stay.
#pragma once

#include <meridian/frame_batch.hpp>

#include <cstddef>
#include <memory>

namespace meridian::inline v2::aggregator {

/// Copies small batches one after another, so that they can be joined. A single frame in an
/// allocation of its own takes, with its bookkeeping, three times its octets.
///
/// Not thread-safe. Batches that were moved here may be used on any thread.
class FramePage {
 public:
  /// Batches of fewer octets are small.
  static constexpr std::size_t small_bytes = 4 * 1024;

  /// At most this many batches are joined into one. Joining more would hardly lower the share of
  /// the bookkeeping, and frames taken from the middle could be put back farther from their old
  /// places.
  static constexpr std::size_t max_joined = 64;

  /// Moves a small batch next to the previous one, or into a new page if it does not fit there.
  void take_in(FrameBatch& batch);

 private:
  std::shared_ptr<std::byte[]> slab_;
  std::size_t used_ = 0;
};

}  // namespace meridian::inline v2::aggregator
