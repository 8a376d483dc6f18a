/// Dense memory for small batches that stay.
#pragma once

#include <meridian/frame_batch.hpp>

#include <cstddef>
#include <memory>

namespace meridian::inline v1 {

/// Copies small batches one behind the other, so that they can be joined: a lone frame in an
/// allocation of its own, with all that is known of it, takes three times its octets.
///
/// Not thread-safe; batches that were moved here may be used anywhere.
class FramePage {
 public:
  /// Batches of fewer octets are small.
  static constexpr std::size_t small_bytes = 4 * 1024;

  /// So many are joined at most. With more, what is known of a batch would be no smaller part of
  /// it, but frames that are taken from its middle would come back to a place farther from theirs.
  static constexpr std::size_t max_joined = 64;

  /// Moves a small batch behind the one before, or into a new page where it does not fit.
  void take_in(FrameBatch& batch);

 private:
  std::shared_ptr<std::byte[]> slab_;
  std::size_t used_ = 0;
};

}  // namespace meridian::inline v1
