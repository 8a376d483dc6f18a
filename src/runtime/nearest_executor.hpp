/// One executor over several contexts.
#pragma once

#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <utility>
#include <vector>

namespace meridian::runtime {

namespace asio = boost::asio;

/// Runs a function on the context whose thread submits it, or on the first context if the calling
/// thread runs none of them. It is for a strand that all these contexts need. A caller that finds
/// the strand idle does not wait for a thread of another context, which may be busy, or asleep and
/// slow to wake. None of the contexts may have long-running handlers: the strand, and everything
/// that needs it, would wait for them.
///
/// Thread-safe. The contexts and their list must outlive it. It keeps no context running: something
/// else must, as long as there is work.
class NearestExecutor {
 public:
  using Contexts = std::vector<asio::io_context*>;

  explicit NearestExecutor(const Contexts& contexts) noexcept : contexts_(&contexts) {}

  template <typename Function>
  void execute(Function&& function) const {
    asio::post(*nearest(), std::forward<Function>(function));
  }

  [[nodiscard]] asio::execution_context& query(
      asio::execution::context_t /*which*/) const noexcept {
    return *contexts_->front();
  }
  [[nodiscard]] static constexpr asio::execution::blocking_t query(
      asio::execution::blocking_t /*which*/) noexcept {
    return asio::execution::blocking.never;
  }

  friend bool operator==(const NearestExecutor&, const NearestExecutor&) = default;

 private:
  [[nodiscard]] asio::io_context* nearest() const {
    for (asio::io_context* const context : *contexts_) {
      if (context->get_executor().running_in_this_thread()) {
        return context;
      }
    }
    return contexts_->front();
  }

  const Contexts* contexts_;
};

}  // namespace meridian::runtime
