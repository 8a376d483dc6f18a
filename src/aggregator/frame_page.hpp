/// Dense memory for small batches that stay.
#pragma once

#include <meridian/frame_batch.hpp>

#include <cstddef>
#include <memory>

namespace meridian::inline v2::aggregator {

/// Copies small batches one behind the other, so that they can be joined: a lone frame in an
/// allocation of its own, with all that is known of it, takes three times its octets.
///
/// Not thread-safe; batches that were moved here may be used on any thread.
class FramePage {
 public:
  /// Batches of fewer octets are small.
  static constexpr std::size_t small_bytes = 4 * 1024;

  /// At most this many batches are joined into one. Joining more would not make what is known of a
  /// batch a smaller part of it, and frames taken from its middle could be put back farther from
  /// their place.
  static constexpr std::size_t max_joined = 64;

  /// Moves a small batch behind the one before, or into a new page where it does not fit.
  void take_in(FrameBatch& batch);

 private:
  std::shared_ptr<std::byte[]> slab_;
  std::size_t used_ = 0;
};

}  // namespace meridian::inline v2::aggregator
