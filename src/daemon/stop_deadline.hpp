/// What ends a stop that hangs.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>

namespace meridian::daemon {

namespace asio = boost::asio;

/// Everything that a stop waits for takes milliseconds. Whatever has not ended after four seconds
/// is given up: sessions and clients first, after as many seconds more all of it. Counted in ticks,
/// so that a process that was frozen for a while does not take itself for hung.
///
/// Confined to the strand or single thread of its executor, and must outlive its `run`.
class StopDeadline {
 public:
  struct Steps {
    std::function<void()> give_up_peers;  ///< sessions, clients and sinks
    std::function<void()> give_up_all;
  };

  StopDeadline(const asio::any_io_executor& executor, Steps steps);

  void begin();
  /// Nothing hangs any more. May be called again, and without `begin`.
  void end();

  /// Whether peers were given up.
  [[nodiscard]] bool has_passed() const noexcept;

 private:
  void tick();

  asio::steady_timer timer_;
  Steps steps_;
  unsigned ticks_ = 0;
  bool ended_ = false;
};

}  // namespace meridian::daemon
