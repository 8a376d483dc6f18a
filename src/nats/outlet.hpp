/// Passes events from any thread to a function that an executor runs, until it is closed.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace meridian::nats {

namespace asio = boost::asio;

/// `post` is thread-safe, and does not wait while the function runs. After `close` the function
/// does not run, even for events that were posted before, and nothing uses the executor. The
/// function itself may call `close`; on another thread, `close` waits until the function has
/// returned. Must be held by a shared_ptr.
template <typename Event>
class Outlet : public std::enable_shared_from_this<Outlet<Event>> {
 public:
  using Receive = std::function<void(const Event&)>;

  Outlet(asio::any_io_executor executor, Receive receive)
      : executor_(std::move(executor)),
        receive_(std::make_shared<const Receive>(std::move(receive))) {}

  void post(Event event) {
    // Under the lock, so that the executor's context may end once `close` has returned.
    const std::lock_guard lock(posting_);
    if (!closed_) {
      asio::post(executor_, [self = this->shared_from_this(), event = std::move(event)] {
        self->receive(event);
      });
    }
  }

  void close() {
    {
      const std::lock_guard lock(posting_);
      closed_ = true;
      executor_ = {};  // a strand must not outlive its context, but this object may
    }
    const std::lock_guard lock(receiving_);
    receive_.reset();
  }

 private:
  void receive(const Event& event) {
    const std::lock_guard lock(receiving_);
    // A copy: if the function calls `close`, that must not destroy the function while it runs.
    const std::shared_ptr<const Receive> receive = receive_;
    if (receive) {
      (*receive)(event);
    }
  }

  std::mutex posting_;
  asio::any_io_executor executor_;          // protected by posting_
  bool closed_ = false;                     // protected by posting_
  std::recursive_mutex receiving_;          // held while the function runs
  std::shared_ptr<const Receive> receive_;  // protected by receiving_
};

}  // namespace meridian::nats
