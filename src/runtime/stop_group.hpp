/// All running objects of one kind, so that they can be stopped and waited for.
#pragma once

#include <meridian/doorbell.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <utility>

namespace meridian::runtime {

namespace asio = boost::asio;

/// Accepts new members until `stop`, which stops all members. Thread-safe. `Member::stop()` must be
/// callable from any thread.
template <typename Member>
class StopGroup {
 public:
  explicit StopGroup(const asio::any_io_executor& executor) : emptied_(executor) {}

  /// Returns false if the group has stopped; the member must not run then.
  [[nodiscard]] bool add(std::shared_ptr<Member> member) {
    const std::lock_guard lock(mutex_);
    if (!stopped_) {
      members_.insert(std::move(member));
    }
    return !stopped_;
  }

  void remove(const std::shared_ptr<Member>& member) {
    const std::lock_guard lock(mutex_);
    members_.erase(member);
    if (members_.empty()) {
      emptied_.ring();
    }
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    for_each([](Member& member) { member.stop(); });
  }

  /// Calls `visit(Member&)` for each member, without holding the lock.
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& member : members()) {
      visit(*member);
    }
  }

  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return members_.size();
  }

  /// Waits until a stopped group is empty, or until `give_up`. One waiter at a time.
  [[nodiscard]] asio::awaitable<void> wait_empty() {
    while (size() > 0 && !given_up_) {
      co_await emptied_.wait();
    }
  }

  /// Ends the wait, even if members have not ended.
  void give_up() {
    given_up_ = true;
    emptied_.ring();
  }

 private:
  [[nodiscard]] std::unordered_set<std::shared_ptr<Member>> members() const {
    const std::lock_guard lock(mutex_);
    return members_;
  }

  mutable std::mutex mutex_;
  // Protected by mutex_.
  std::unordered_set<std::shared_ptr<Member>> members_;
  bool stopped_ = false;

  std::atomic<bool> given_up_{false};
  Doorbell emptied_;
};

}  // namespace meridian::runtime
