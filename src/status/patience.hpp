/// Waits for an answer, but not for ever.
#pragma once

#include "runtime/rethrow.hpp"
#include "runtime/use_tuple.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

namespace meridian::status {

namespace asio = boost::asio;

/// The answer to a question, or asio::error::timed_out. Cancels nothing: an answer that comes later
/// is discarded. So this is only for questions that change nothing.
/// REQUIRES: the calling coroutine runs on a strand.
template <typename T>
asio::awaitable<boost::system::result<T>> within(
    std::chrono::steady_clock::duration patience,
    asio::awaitable<boost::system::result<T>> question) {
  struct Wait {
    asio::steady_timer end;
    std::optional<boost::system::result<T>> answer{};
    std::exception_ptr error{};
  };
  const auto executor = co_await asio::this_coro::executor;
  const auto wait = std::make_shared<Wait>(Wait{asio::steady_timer(executor, patience)});
  asio::co_spawn(executor, std::move(question),
                 [wait](const std::exception_ptr& error, boost::system::result<T> answer) {
                   wait->error = error;
                   wait->answer = std::move(answer);
                   wait->end.cancel();
                 });
  if (!wait->answer) {
    std::ignore = co_await wait->end.async_wait(runtime::use_tuple);
  }
  if (!wait->answer) {
    co_return boost::system::error_code(asio::error::timed_out);
  }
  runtime::rethrow(wait->error);
  co_return *std::move(wait->answer);
}

}  // namespace meridian::status
