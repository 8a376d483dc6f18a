/// Objects that the client library's threads may call.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace meridian::nats {

/// Gives objects numbers, which the library gets instead of their addresses. The library does not
/// say when it makes its last call with a closure: calls go on for a moment after everything was
/// destroyed. A number that is no longer in use finds nothing; an address would dangle.
///
/// Thread-safe. Never destroyed, since the library's threads outlive `main`.
template <typename T>
class Closures {
 public:
  [[nodiscard]] static Closures& of_process() {
    static auto* closures = new Closures;
    return *closures;
  }

  /// Returns a number that was not used before.
  [[nodiscard]] void* add(std::weak_ptr<T> object) {
    const std::lock_guard lock(mutex_);
    objects_.emplace(++last_, std::move(object));
    return reinterpret_cast<void*>(last_);
  }

  void remove(void* closure) {
    const std::lock_guard lock(mutex_);
    objects_.erase(reinterpret_cast<std::uintptr_t>(closure));
  }

  /// The object, or nullptr if it is gone.
  [[nodiscard]] std::shared_ptr<T> find(void* closure) {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(reinterpret_cast<std::uintptr_t>(closure));
    return found == objects_.end() ? nullptr : found->second.lock();
  }

 private:
  std::mutex mutex_;
  // Protected by mutex_.
  std::unordered_map<std::uintptr_t, std::weak_ptr<T>> objects_;
  std::uintptr_t last_ = 0;
};

}  // namespace meridian::nats
