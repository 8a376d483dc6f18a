/// What a sink is doing, from its start to its end.
#pragma once

#include <cstdint>

namespace meridian::sink {

/// Where a sink is in its life. Its destination is what it publishes into, such as a stream. The
/// events are calls. A call that means nothing in the current phase changes nothing.
///
///     unready ◀──▶ publishing
///        │             │         stop
///        ▼             ▼
///     leaving ◀── last answers
///
/// No I/O. Not thread-safe.
class Phase {
 public:
  enum class Name : std::uint8_t {
    unready,       ///< not connected, or the destination is not known to be fit
    publishing,    ///< connected, and the destination is fit
    last_answers,  ///< stopping; answers to messages in flight may still come
    leaving,       ///< stopping; the sink expects nothing more
  };
  [[nodiscard]] Name name() const noexcept { return name_; }

  /// The sink is connected, and its destination is fit.
  void found_fit() noexcept {
    if (name_ == Name::unready) {
      name_ = Name::publishing;
    }
  }
  /// The connection is lost, or a refusal shows that every message would be refused.
  void found_unfit() noexcept {
    if (name_ == Name::publishing) {
      name_ = Name::unready;
    } else if (name_ == Name::last_answers) {
      name_ = Name::leaving;
    }
  }
  /// The daemon stops.
  void stop() noexcept {
    if (name_ == Name::publishing) {
      name_ = Name::last_answers;
    } else if (name_ == Name::unready) {
      name_ = Name::leaving;
    }
  }
  /// The time to wait for answers is over.
  void stop_waiting() noexcept {
    if (name_ == Name::last_answers) {
      name_ = Name::leaving;
    }
  }

  [[nodiscard]] bool may_publish() const noexcept { return name_ == Name::publishing; }
  /// Whether answers to published messages may come.
  [[nodiscard]] bool is_answered() const noexcept {
    return name_ == Name::publishing || name_ == Name::last_answers;
  }
  [[nodiscard]] bool is_stopping() const noexcept {
    return name_ == Name::last_answers || name_ == Name::leaving;
  }

 private:
  Name name_ = Name::unready;
};

}  // namespace meridian::sink
