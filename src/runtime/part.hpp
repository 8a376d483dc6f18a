/// A part of the daemon that serves from its start to its stop.
#pragma once

#include <boost/asio/awaitable.hpp>

namespace meridian::runtime {

/// How the daemon sees parts that a build may leave out. Thread-safety: `start`, `stop` and
/// `give_up` from any thread.
class Part {
 public:
  Part() = default;
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  virtual ~Part() = default;

  virtual void start() = 0;

  /// Takes on nothing more, and ends.
  virtual void stop() = 0;

  /// Waits until it has ended, after `stop`, or until `give_up`.
  [[nodiscard]] virtual boost::asio::awaitable<void> wait_stopped() = 0;

  /// Gives up on whatever has not ended: `wait_stopped` returns without it.
  virtual void give_up() = 0;
};

}  // namespace meridian::runtime
