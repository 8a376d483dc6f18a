/// Decides which origin of an outbox sends next. Each origin is in one of four states.
#pragma once

#include "sink/ticket.hpp"

#include <meridian/frame.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>

namespace meridian::sink {

/// Each origin has at most one message in flight. Ready origins take turns, in the order in which
/// they became ready. A refused origin waits until its time has come, and then goes to the end of
/// the line.
///
///     idle ──▶ ready ──▶ in flight ──▶ idle, or ready if it has more to send
///                ▲           │
///                └─ refused ◀┘
///
/// A call that the state of its origin does not allow throws std::logic_error, except for
/// `send_front`. Reads no clock. Not thread-safe.
class Schedule {
 public:
  using Clock = std::chrono::steady_clock;

  enum class State : std::uint8_t {
    idle,       ///< has nothing to send
    ready,      ///< has a message to send, and waits for its turn
    in_flight,  ///< its message is in flight
    refused,    ///< its message was refused; waits until it may try again
  };
  [[nodiscard]] State state_of(const Origin& origin) const;

  /// An idle origin now has something to send: it becomes ready.
  void make_ready(const Origin& origin);

  /// Undoes the last calls of `make_ready`, until only `count` origins are ready.
  void keep_ready(std::size_t count) noexcept;
  [[nodiscard]] std::size_t ready() const noexcept { return ready_.size(); }

  /// Makes the refused origins ready whose time has come. Returns the origin whose turn it is, or
  /// no value if none is ready.
  [[nodiscard]] std::optional<Origin> front(Clock::time_point now);

  /// The message of the front origin is being sent. Returns a ticket that was never used before.
  /// REQUIRES: an origin is ready.
  [[nodiscard]] Ticket send_front();

  /// The origin whose message in flight has that ticket. Throws std::out_of_range if there is none.
  [[nodiscard]] const Origin& origin_of(Ticket ticket) const { return in_flight_.at(ticket); }

  /// The message has arrived: its origin becomes idle.
  void settle(Ticket ticket);

  /// The message has arrived, and its origin has another one: it becomes ready, after the others.
  void settle_with_more(Ticket ticket);

  /// The message was refused: its origin waits until `retry_at`.
  void refuse(Ticket ticket, Clock::time_point retry_at);

  /// Makes all refused origins ready, in the order of their times.
  void retry_now();

  /// The earliest time at which a refused origin may try again. No value if none is refused.
  [[nodiscard]] std::optional<Clock::time_point> next_retry() const;

  [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_.size(); }

 private:
  /// The one place where states change. Throws if `origin` is not in the state `from`.
  void change(const Origin& origin, State from, State to);
  void make_first_refused_ready();

  std::map<Origin, State> states_;  // of origins that are not idle
  std::deque<Origin> ready_;
  std::unordered_map<Ticket, Origin> in_flight_;
  std::multimap<Clock::time_point, Origin> refused_;  // by the time at which each may try again
  Ticket last_ticket_ = 0;
};

}  // namespace meridian::sink
