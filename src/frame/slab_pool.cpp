#include "frame/slab_pool.hpp"

#include <algorithm>
#include <new>

namespace meridian::inline v2::frame {

namespace {

/// A slab and, in front of it, its reference counts.
constexpr std::size_t block_bytes = SlabPool::slab_bytes + 64;

constexpr std::size_t usual_max_unused = 64 * 1024 * 1024 / SlabPool::slab_bytes;

}  // namespace

/// Lets a shared pointer take its memory from the pool.
template <typename T>
class SlabPool::Allocator {
 public:
  using value_type = T;

  explicit Allocator(SlabPool& pool) noexcept : pool_(&pool) {}
  template <typename U>
  explicit(false) Allocator(const Allocator<U>& other) noexcept : pool_(other.pool_) {}

  [[nodiscard]] T* allocate(std::size_t count) {
    if (count * sizeof(T) > block_bytes) {
      throw std::bad_alloc();  // the library's reference counts are larger than expected
    }
    return static_cast<T*>(pool_->take_block());
  }
  void deallocate(T* block, std::size_t /*count*/) noexcept { pool_->give_back(block); }

  template <typename U>
  friend bool operator==(const Allocator& a, const Allocator<U>& b) noexcept {
    return a.pool_ == b.pool_;
  }

 private:
  template <typename U>
  friend class Allocator;

  SlabPool* pool_;
};

SlabPool::SlabPool(std::size_t max_unused) : max_unused_(max_unused) {
  unused_.reserve(max_unused);
}

SlabPool::~SlabPool() {
  std::ranges::for_each(unused_, [](void* block) { ::operator delete(block); });
}

SlabPool& SlabPool::of_process() {
  // Never destroyed: something may still refer to slabs when static objects are destroyed.
  static SlabPool& pool = *new SlabPool(usual_max_unused);
  return pool;
}

std::shared_ptr<std::byte[]> SlabPool::take() {
  return std::allocate_shared_for_overwrite<std::byte[]>(Allocator<std::byte>(*this), slab_bytes);
}

std::size_t SlabPool::trim() {
  std::vector<void*> surplus;
  {
    const std::lock_guard lock(mutex_);
    const auto end = unused_.begin() + static_cast<std::ptrdiff_t>(never_needed_);
    surplus.assign(unused_.begin(), end);
    unused_.erase(unused_.begin(), end);
    never_needed_ = unused_.size();
  }
  std::ranges::for_each(surplus, [](void* block) { ::operator delete(block); });
  return surplus.size();
}

std::size_t SlabPool::unused() const {
  const std::lock_guard lock(mutex_);
  return unused_.size();
}

void* SlabPool::take_block() {
  {
    const std::lock_guard lock(mutex_);
    if (!unused_.empty()) {
      void* const block = unused_.back();
      unused_.pop_back();
      never_needed_ = std::min(never_needed_, unused_.size());
      return block;
    }
  }
  return ::operator new(block_bytes);
}

void SlabPool::give_back(void* block) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (unused_.size() < max_unused_) {
      unused_.push_back(block);
      return;
    }
  }
  ::operator delete(block);
}

}  // namespace meridian::inline v2::frame
