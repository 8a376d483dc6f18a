/// Tells whether an execution context is shutting down.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/query.hpp>

#include <atomic>
#include <memory>

namespace meridian::inline v2::detail {

namespace asio = boost::asio;

/// Why it is needed: a context that is being destroyed destroys the coroutines that wait in it, and
/// they release their senders. By then the channels of Boost 1.81 have destroyed the operations
/// that wait on them, but still refer to them: a send crashes. Senders therefore check here first.
///
/// Thread-safe. Create it after the channel that it guards: the newest service is shut down first.
class ContextWatch {
 public:
  explicit ContextWatch(const asio::any_io_executor& executor)
      : ended_(asio::use_service<Service>(asio::query(executor, asio::execution::context)).ended) {}

  [[nodiscard]] bool ended() const noexcept { return ended_->load(std::memory_order_relaxed); }

 private:
  struct Service final : asio::execution_context::service {
    using key_type = Service;
    static inline asio::execution_context::id id;

    explicit Service(asio::execution_context& context) : service(context) {}
    void shutdown() noexcept override { ended->store(true, std::memory_order_relaxed); }

    const std::shared_ptr<std::atomic<bool>> ended = std::make_shared<std::atomic<bool>>(false);
  };

  std::shared_ptr<const std::atomic<bool>> ended_;
};

}  // namespace meridian::inline v2::detail
