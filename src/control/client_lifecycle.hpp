/// What a client of the control socket is doing, and what may be done to it meanwhile.
#pragma once

#include "control/held_leases.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace meridian::control {

enum class ClientState : std::uint8_t {
  starting,   ///< its session has not begun
  waiting,    ///< it has its answers, and may send the next request
  answering,  ///< a request is carried out; its answer may be partly written
  watching,   ///< it watches frames (`tail`), and no message is partly written
  ended,      ///< its connection is closed, which is final
};

/// The one place where the state of a client changes. The session reports what happens, and asks
/// what follows. Has no I/O, and no clock: the session says what time it is.
///
/// Not thread-safe: must be used on the strand of the socket. `leases` must outlive it.
class ClientLifecycle {
 public:
  using Clock = HeldLeases::Clock;

  /// How long a client may be idle before it must give way to another one.
  static constexpr std::chrono::seconds thinking_time{5};

  /// The number of a wait for a request. When a timer ends, a later wait may have begun.
  enum class Wait : std::uint64_t {};

  /// What follows if a client has not sent a request within the idle timeout.
  enum class AtTimeout : std::uint8_t {
    nothing,      ///< it has sent a request, or has gone
    wait_longer,  ///< it holds a lease, and so is working on the frames
    cut_off,
  };

  explicit ClientLifecycle(const HeldLeases& leases) noexcept : leases_(leases) {}
  explicit ClientLifecycle(HeldLeases&&) = delete;  // keeps a reference

  [[nodiscard]] ClientState state() const noexcept { return state_; }
  [[nodiscard]] bool has_ended() const noexcept { return state_ == ClientState::ended; }

  /// The session has answered everything, and begins to wait for a request.
  Wait wait_for_request(Clock::time_point now) noexcept;
  /// A request has come, or a message of a tail is about to be written.
  void answer() noexcept { enter(ClientState::answering); }
  /// A message of a tail is written.
  void watch() noexcept { enter(ClientState::watching); }
  /// The connection is closed. Nothing changes after that.
  void end() noexcept { enter(ClientState::ended); }

  /// Whether the client can be told why it is cut off. It cannot in the middle of an answer or a
  /// message.
  [[nodiscard]] bool can_be_told() const noexcept;

  /// How long the client has been idle, if it must therefore give way to another one. Nothing if it
  /// need not, such as while it gets an answer, watches, or holds a lease.
  [[nodiscard]] std::optional<std::chrono::seconds> idle_time_to_give_way(
      Clock::time_point now) const;

  /// The idle timeout of `wait` has passed.
  [[nodiscard]] AtTimeout at_timeout(Wait wait, Clock::time_point now) const;

 private:
  void enter(ClientState next) noexcept;

  const HeldLeases& leases_;
  ClientState state_ = ClientState::starting;
  Clock::time_point waiting_since_{};  // while it waits
  Wait wait_{0};                       // the latest
};

}  // namespace meridian::control
