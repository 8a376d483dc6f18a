/// One executor over two contexts.
#pragma once

#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <utility>

namespace meridian::runtime {

namespace asio = boost::asio;

/// Runs what a thread of `near` asks for there, and all else on `home`. For a strand that threads
/// of both contexts need: whoever asks for something need not wait for a thread of the other
/// context, which may be busy, or asleep and slow to wake.
///
/// Thread-safe. It keeps neither context running: something else must, as long as there is work.
class NearestExecutor {
 public:
  NearestExecutor(asio::io_context& home, asio::io_context& near) noexcept
      : home_(&home), near_(&near) {}

  template <typename Function>
  void execute(Function&& function) const {
    asio::io_context& context = near_->get_executor().running_in_this_thread() ? *near_ : *home_;
    asio::post(context, std::forward<Function>(function));
  }

  [[nodiscard]] asio::execution_context& query(
      asio::execution::context_t /*which*/) const noexcept {
    return *home_;
  }
  [[nodiscard]] static constexpr asio::execution::blocking_t query(
      asio::execution::blocking_t /*which*/) noexcept {
    return asio::execution::blocking.never;
  }

  friend bool operator==(const NearestExecutor&, const NearestExecutor&) = default;

 private:
  asio::io_context* home_;
  asio::io_context* near_;
};

}  // namespace meridian::runtime
