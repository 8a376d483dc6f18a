/// Ends a stop that hangs.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>

namespace meridian::daemon {

namespace asio = boost::asio;

/// Everything that a stop waits for takes milliseconds. After four seconds this gives up the
/// sessions, clients and sinks that have not ended, and after another four seconds everything. It
/// counts ticks, so that a process that was frozen for a while does not count as hung.
///
/// Confined to the strand or single thread of its executor, and must outlive its context's `run`.
class StopDeadline {
 public:
  struct Steps {
    std::function<void()> give_up_peers;  ///< sessions, clients and sinks
    std::function<void()> give_up_all;
  };

  StopDeadline(const asio::any_io_executor& executor, Steps steps);

  void begin();
  /// Cancels the deadline. May be called again, and without `begin`.
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
