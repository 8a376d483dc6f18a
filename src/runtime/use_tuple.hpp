/// The completion token for a coroutine that checks an operation's error itself.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace meridian::runtime {

/// `const auto [ec, n] = co_await socket.async_read_some(buffer, use_tuple);`
inline constexpr auto use_tuple = boost::asio::as_tuple(boost::asio::use_awaitable);

}  // namespace meridian::runtime
