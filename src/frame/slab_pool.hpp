/// A pool of slabs, into which sessions read.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace meridian::inline v2::frame {

/// Keeps slabs for reuse once nothing refers to them. Fresh memory costs more than the read that
/// fills it: the kernel hands it out page by page, each cleared first.
///
/// Thread-safe. A slab must not outlive its pool. The pool of the process is never destroyed.
class SlabPool {
 public:
  static constexpr std::size_t slab_bytes = 256 * 1024;

  /// Keeps up to `max_unused` slabs that are not in use.
  explicit SlabPool(std::size_t max_unused);
  SlabPool(const SlabPool&) = delete;
  SlabPool& operator=(const SlabPool&) = delete;
  ~SlabPool();

  /// The one that sessions read into: at most 64 MiB unused.
  [[nodiscard]] static SlabPool& of_process();

  /// A slab with undefined contents. Goes back to the pool with its last reference.
  [[nodiscard]] std::shared_ptr<std::byte[]> take();

  /// Frees the slabs that were not needed since the last call. So memory follows the load, later by
  /// the time between two calls. Returns how many slabs were freed.
  std::size_t trim();

  /// How many slabs are not in use.
  [[nodiscard]] std::size_t unused() const;

 private:
  template <typename T>
  class Allocator;

  [[nodiscard]] void* take_block();
  void give_back(void* block) noexcept;

  const std::size_t max_unused_;
  mutable std::mutex mutex_;
  // Protected by mutex_.
  std::vector<void*> unused_;     // the last one in goes out first: it may still be cached
  std::size_t never_needed_ = 0;  // the fewest in unused_ since the last trim
};

}  // namespace meridian::inline v2::frame
