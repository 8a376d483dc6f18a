/// A gate that lets senders in until the receiver closes it, and then waits for the last one to
/// leave.
#pragma once

#include <atomic>
#include <cstdint>

namespace meridian::inline v2::detail {

/// Why it is needed: between `cancel()` and `close()` of a concurrent_channel a sender could still
/// put a message into the buffer, or park itself for ever. Every send is started inside the gate.
/// So once `close` has returned, no send is being started, and none will be.
///
/// Thread-safe. `enter` and `leave` never wait; `close` waits for senders that are inside, for as
/// long as it takes to start an operation.
class SendGate {
 public:
  /// False once the gate is closed; then `leave` must not be called.
  [[nodiscard]] bool enter() noexcept {
    if ((state_.fetch_add(one, std::memory_order_acquire) & closed_bit) == 0) {
      return true;
    }
    leave();
    return false;
  }

  void leave() noexcept {
    if (state_.fetch_sub(one, std::memory_order_release) == (closed_bit | one)) {
      state_.notify_all();
    }
  }

  void close() noexcept {
    std::uint32_t seen = state_.fetch_or(closed_bit, std::memory_order_acq_rel) | closed_bit;
    while (seen != closed_bit) {
      state_.wait(seen, std::memory_order_acquire);
      seen = state_.load(std::memory_order_acquire);
    }
  }

  [[nodiscard]] bool closed() const noexcept {
    return (state_.load(std::memory_order_acquire) & closed_bit) != 0;
  }

 private:
  static constexpr std::uint32_t closed_bit = 1;
  static constexpr std::uint32_t one = 2;

  std::atomic<std::uint32_t> state_{0};
};

}  // namespace meridian::inline v2::detail
