/// Waiting for an answer, but not for ever.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <utility>

namespace meridian::status {

namespace asio = boost::asio;

/// The answer to a question that can be cancelled, or asio::error::timed_out. For questions that
/// only read: what comes too late is thrown away.
template <typename T>
asio::awaitable<boost::system::result<T>> within(std::chrono::steady_clock::duration patience,
                                                 asio::awaitable<boost::system::result<T>> question) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer timer(co_await asio::this_coro::executor, patience);
  auto wait = timer.async_wait(asio::as_tuple(asio::use_awaitable));
  auto first = co_await (std::move(question) || std::move(wait));
  if (first.index() == 1) {
    co_return boost::system::error_code(asio::error::timed_out);
  }
  co_return std::get<0>(std::move(first));
}

}  // namespace meridian::status
