/// A part of the daemon that serves from its start to its stop.
#pragma once

#include <boost/asio/awaitable.hpp>

namespace meridian::runtime {

/// The daemon's view of a part that a build may leave out: the HTTP server, or a sink.
/// Thread-safety: `start`, `stop` and `give_up` may be called from any thread.
class Part {
 public:
  Part() = default;
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  virtual ~Part() = default;

  virtual void start() = 0;

  /// Stops accepting new work and begins to shut down.
  virtual void stop() = 0;

  /// After `stop`: waits until the part has ended, or until `give_up`.
  [[nodiscard]] virtual boost::asio::awaitable<void> wait_stopped() = 0;

  /// Ends the wait: `wait_stopped` returns, even if the part has not ended.
  virtual void give_up() = 0;
};

}  // namespace meridian::runtime
