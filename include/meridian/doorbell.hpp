/// Wakes one waiting coroutine from any thread.
///
/// Stable: see <meridian/version.hpp>.
#pragma once

#include <meridian/detail/context_watch.hpp>
#include <meridian/errors.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <atomic>

namespace meridian::inline v2 {

namespace asio = boost::asio;

/// For a coroutine that reads several queues. It reads each without waiting, and waits here when
/// all are empty. A producer fills its queue first, and then rings.
///
/// `ring` is thread-safe and never waits; all rings before a `wait` count as one. `wait` is for one
/// coroutine at a time. Everything that was queued before a ring is visible after the wait that the
/// ring ended. A cancelled wait throws boost::system::system_error(operation_aborted) and loses no
/// ring.
class Doorbell {
 public:
  explicit Doorbell(const asio::any_io_executor& executor)
      : bell_(executor, 1), context_(executor) {}

  void ring() {
    // While a ring is pending there is no need for the channel's mutex.
    if (!pending_.exchange(true, std::memory_order_acq_rel) && !context_.ended()) {
      bell_.try_send(error_code{});
    }
  }

  [[nodiscard]] asio::awaitable<void> wait() {
    const auto [ec] = co_await bell_.async_receive(asio::as_tuple(asio::use_awaitable));
    if (ec) {
      // A cancelled receive leaves a channel of Boost 1.81 without room, even for a ring that has
      // come since.
      bell_.reset();
      if (pending_.load(std::memory_order_acquire)) {
        bell_.try_send(error_code{});
      }
      throw boost::system::system_error(asio::error::operation_aborted);
    }
    pending_.exchange(false, std::memory_order_acq_rel);
  }

 private:
  std::atomic<bool> pending_{false};
  asio::experimental::concurrent_channel<void(error_code)> bell_;
  detail::ContextWatch context_;
};

}  // namespace meridian::inline v2
