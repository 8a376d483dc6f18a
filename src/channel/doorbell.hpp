/// Wakes one waiting coroutine from any thread.
#pragma once

#include <meridian/errors.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <utility>

namespace meridian {

namespace asio = boost::asio;

/// For a consumer of several queues, which reads each without waiting and waits here when all are
/// empty: producers fill a queue first and ring then.
///
/// `ring` is thread-safe and never waits; rings before a `wait` are one. `wait` is for one coroutine
/// at a time. Everything that was queued before a ring is visible after the wait that it ended.
class Doorbell {
 public:
  explicit Doorbell(asio::any_io_executor executor) : bell_(std::move(executor), 1) {}

  void ring() {
    // While a ring is pending there is no need for the channel's mutex.
    if (!pending_.exchange(true, std::memory_order_acq_rel)) {
      bell_.try_send(error_code{});
    }
  }

  [[nodiscard]] asio::awaitable<void> wait() {
    co_await bell_.async_receive(asio::use_awaitable);
    pending_.exchange(false, std::memory_order_acq_rel);
  }

 private:
  std::atomic<bool> pending_{false};
  asio::experimental::concurrent_channel<void(error_code)> bell_;
};

}  // namespace meridian
